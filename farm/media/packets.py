"""Read any range of a video's packets, exactly: seek where that works, and check every packet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import av
import numpy as np

from broker.framing import NO_TIME
from farm.errors import TruncatedVideo
from farm.media.info import MediaInfo
from farm.media.manifest import only
from farm.media.opening import open_video, reading
from farm.media.table import Manifest

#: Reading on costs less than a seek up to about this many bytes: a disk reads this much in the time in
#: which a container looks up its index and a demuxer starts again.
SKIP_BYTES = 8 * 1024 * 1024

#: A seek that lands too late is tried again this many keyframes earlier; after the last one, reading
#: starts at the file's beginning.
_STEPS_BACK = (0, 1, 4, 16)

#: Packets that may be met after a seek before one of them is recognised.
_STRANGERS = 300


class PacketReader:
    """A video kept open. Consecutive ranges are read on from where the last one ended."""

    def __init__(self, path: Path, info: MediaInfo, manifest: Manifest) -> None:
        self._path = path
        self._info = info
        self._manifest = manifest
        self._by_time = np.argsort(manifest.read_times, kind="stable")
        self._sorted_times = manifest.read_times[self._by_time]
        self._stack = ExitStack()
        self._held: av.Packet[Any] | None = None  # recognised after a seek, not handed out yet
        self._next = 0  # index of the packet that comes next
        self._is_sought = False  # whether a seek led here
        self._extradata = b""

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            BadInput: it cannot be opened any more, or has another size than when it was probed.
        """
        if self._path.exists() and self._path.stat().st_size != self._info.size_bytes:
            raise self._changed()
        self._rewind()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stack.close()

    @property
    def extradata(self) -> bytes:
        """What a decoder must know before the packet that comes next: the last that the container said."""
        return self._extradata

    def move_to(self, first: int) -> None:
        """Make `first` the packet that comes next.

        Raises:
            TruncatedVideo: the packet is not there any more.
        """
        if first < self._next or self._manifest.num_bytes(self._next, first) > SKIP_BYTES:
            self._seek(first)
        while self._next < first:
            self._take()

    def read(self, first: int, stop: int) -> Iterator[av.Packet[Any]]:
        """Yield packets [first, stop), in decode order.

        Raises:
            TruncatedVideo: one of them is not what the manifest says.
        """
        self.move_to(first)
        for _ in range(first, stop):
            yield self._take()

    def _take(self) -> av.Packet[Any]:
        """Return the packet that comes next, checked against the manifest."""
        number = self._next
        packet = self._pull()
        if self._is_sought and not self._is_packet(packet, number):
            # A seek can leave a demuxer out of step. The file's beginning is a sure place to start from.
            self._rewind()
            while self._next < number:
                self._take()
            packet = self._pull()
        if packet is None or not self._is_packet(packet, number):
            raise self._changed()
        self._note_extradata(packet)
        self._next = number + 1
        return packet

    def _pull(self) -> av.Packet[Any] | None:
        """Return the next packet that the demuxer gives, or None at the end."""
        held, self._held = self._held, None
        if held is not None:
            return held
        with reading(self._path):
            packet = next(self._packets, None)
        return packet if packet is not None and packet.size else None

    def _is_packet(self, packet: av.Packet[Any] | None, number: int) -> bool:
        """Say whether this is packet `number`.

        The dts is not compared: where a container stores none, it is told from the packets before, and
        after a seek those are others.
        """
        return (
            packet is not None
            and _time(packet) == self._manifest.read_times[number]
            and packet.size == self._manifest.packet_size[number]
        )

    def _number_of(self, packet: av.Packet[Any]) -> int | None:
        """Return which packet this is, or None where that cannot be told."""
        time = _time(packet)
        low, high = np.searchsorted(self._sorted_times, [time, time + 1])
        found = [int(number) for number in self._by_time[low:high] if self._is_packet(packet, int(number))]
        return found[0] if len(found) == 1 else None

    def _seek(self, first: int) -> None:
        keys = self._manifest.key_packets
        at = int(np.searchsorted(keys, first, side="right")) - 1
        for step in _STEPS_BACK:
            if at - step < 0:
                break
            if self._try_seek(int(keys[at - step]), first):
                return
        self._rewind()

    def _try_seek(self, target: int, first: int) -> bool:
        """Seek to packet `target`; say whether the reader now stands at `first` or before."""
        # Some containers are searched by pts and some by dts; the earlier of both is safe for either.
        times = (int(self._manifest.packet_pts[target]), int(self._manifest.packet_dts[target]))
        told = [time for time in times if time != NO_TIME]
        if not told:
            return False
        try:
            self._container.seek(min(told), stream=self._stream)
        except av.error.FFmpegError:
            return False
        self._packets = self._container.demux(self._stream)
        self._held = None
        number = self._recognise()
        if number is None or number > first:
            return False
        self._next, self._is_sought = number, True
        return True

    def _recognise(self) -> int | None:
        """Read until a packet is recognised, and hold that one."""
        for _ in range(_STRANGERS):
            packet = self._pull()
            if packet is None:
                return None
            number = self._number_of(packet)
            if number is not None:
                self._held = packet
                return number
            self._note_extradata(packet)
        return None

    def _rewind(self) -> None:
        self._stack.close()
        self._container = self._stack.enter_context(open_video(self._path))
        self._stream = only(self._container, self._info)
        self._packets = self._container.demux(self._stream)
        self._held = None
        self._next, self._is_sought = 0, False
        self._extradata = self._stream.codec_context.extradata or b""

    def _note_extradata(self, packet: av.Packet[Any]) -> None:
        if packet.has_sidedata("new_extradata"):
            self._extradata = bytes(packet.get_sidedata("new_extradata"))

    def _changed(self) -> TruncatedVideo:
        return TruncatedVideo(
            f"{self._path.name} changed while it was being cut",
            hint="leave the input as it is until the job is done, and submit it again",
        )


def _time(packet: av.Packet[Any]) -> int:
    """Return a packet's pts as the manifest has it."""
    time = packet.dts if packet.pts is None else packet.pts
    return NO_TIME if time is None else time
