"""The manifest: what was measured of a video's packets, and what follows from it.

Frames are packets that show a picture; they are numbered from 0 in presentation order.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker.framing import NO_TIME
from farm.errors import UnsupportedMedia

Times = NDArray[np.int64]

KEY = 1  # a decoder can start here
DISCARD = 2  # an edit list cuts it: decoded, not shown
HIDDEN = 4  # decodes to no picture of its own, or to none that a decoder would put out
DOUBTFUL = 32  # FFmpeg flags it: damaged, or the first of a recording that was joined on
SKIPPED = 16  # damaged: what it would show is left out (and so it is HIDDEN, too)
TOLD = 8  # the container has no pts for it: this one was worked out

#: Packets between a frame's places in decode and in presentation order; H.264 and HEVC allow 16 frames.
_LATEST = 64

_FORMAT = 1  # of the saved file
_ARRAYS = ("packet_pts", "packet_dts", "packet_duration", "packet_size", "packet_flags")


@dataclass(frozen=True, eq=False, kw_only=True)
class Manifest:
    """A video's packets in decode order, and what follows from them. Arrays are read-only.

    `packet_*` have shape (num_packets,). Times are in `time_base`; absent ones are `NO_TIME`, and no frame's
    pts is absent.
    """

    time_base: Fraction
    packet_pts: Times
    packet_dts: Times
    packet_duration: Times
    packet_size: Times  # bytes
    packet_flags: NDArray[np.uint8]  # KEY | DISCARD | HIDDEN | TOLD

    def __post_init__(self) -> None:
        """Make the arrays read-only.

        Raises:
            UnsupportedMedia: no frame at all.
        """
        for name in _ARRAYS:
            getattr(self, name).setflags(write=False)
        if self.num_frames == 0:
            raise UnsupportedMedia("the video stream has no frames", hint="check with ffprobe -count_packets")
        if int(np.abs(self.order - np.sort(self.order)).max()) > _LATEST:
            raise UnsupportedMedia(
                "time stamps start anew within the video: recordings were put one behind another",
                hint="join them with new ones: ffmpeg -f concat -i LIST -c copy OUT.mkv",
            )

    @property
    def num_packets(self) -> int:
        """Packets in the stream, frames or not."""
        return len(self.packet_pts)

    @property
    def num_frames(self) -> int:
        """Frames that are shown."""
        return len(self.order)

    @cached_property
    def order(self) -> Times:
        """Shape (num_frames,): for every frame, in presentation order, the packet that holds it."""
        shown = np.flatnonzero(self.packet_flags & (DISCARD | HIDDEN) == 0)
        return shown[np.argsort(self.packet_pts[shown], kind="stable")]

    @cached_property
    def pts(self) -> Times:
        """Shape (num_frames,): every frame's time, growing; damaged or joined files repeat some."""
        return self.packet_pts[self.order]

    @cached_property
    def frame_of(self) -> Times:
        """Shape (num_packets,): the frame that a packet shows; -1 for none."""
        frames = np.full(self.num_packets, -1, np.int64)
        frames[self.order] = np.arange(self.num_frames)
        return frames

    @cached_property
    def read_times(self) -> Times:
        """Shape (num_packets,): the time by which a packet is known again in the file."""
        is_told = self.packet_flags & TOLD != 0
        times = self.packet_pts.copy()
        is_unsaid = is_told | (times == NO_TIME)
        times[is_unsaid] = self.packet_dts[is_unsaid]
        return times

    @cached_property
    def durations(self) -> Times:
        """Shape (num_frames,): the time until the next frame; at least 1."""
        return np.append(np.diff(self.pts), self._last_duration).clip(1)

    @cached_property
    def _last_duration(self) -> int:
        said = int(self.packet_duration[self.order[-1]])
        if said > 0:
            return said
        gaps = np.diff(self.pts)
        return int(np.median(gaps)) if len(gaps) else 1

    @property
    def end(self) -> int:
        """When the last frame's time is over."""
        return int(self.pts[-1]) + self._last_duration

    @property
    def duration_s(self) -> Fraction:
        """Seconds from the first frame to the end of the last."""
        return (self.end - int(self.pts[0])) * self.time_base

    @cached_property
    def key_packets(self) -> Times:
        """Indexes of the packets at which a decoder can start, in decode order."""
        return np.flatnonzero(self.packet_flags & KEY)

    @cached_property
    def keyframes(self) -> Times:
        """Indexes of the frames at which a decoder can start, in presentation order."""
        return np.flatnonzero(self.packet_flags[self.order] & KEY)

    @property
    def whole_from(self) -> int:
        """The first frame that a keyframe vouches for: what begins in mid-GOP has others before it."""
        return int(self.keyframes[0]) if len(self.keyframes) else self.num_frames

    @property
    def is_constant_rate(self) -> bool:
        """Whether frames are equally far apart, to a tick (containers round)."""
        gaps = np.diff(self.pts)
        return len(gaps) == 0 or int(gaps.max() - gaps.min()) <= 1

    def save(self, path: Path) -> None:
        """Write to `path`: whole or not at all."""
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(
                    file,
                    format=np.int64(_FORMAT),
                    time_base=np.array([self.time_base.numerator, self.time_base.denominator], np.int64),
                    **{name: getattr(self, name) for name in _ARRAYS},
                )
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: never saved.
            ValueError: not such a file, or of another version.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                if int(saved["format"]) != _FORMAT:
                    raise ValueError(f"{path}: a manifest of another version")
                numerator, denominator = saved["time_base"].tolist()
                arrays = {name: saved[name] for name in _ARRAYS}
        except (KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}: not a manifest") from error
        return cls(time_base=Fraction(numerator, denominator), **arrays)

    def required_packets(self, start: int, end: int) -> tuple[int, int]:
        """Return the packets [first, stop), in decode order, that frames [start, end) need.

        `first` is the last key packet that neither comes later than `start` in presentation nor later
        than any of the frames in decode order: frames that follow an open GOP's key packet but are shown
        before it lean on the GOP before, so they are not decoded from it.

        Without such a key packet (a stream that begins in mid-GOP) reading begins at the first packet.
        """
        packets = self.order[start:end]
        at = int(np.searchsorted(self.key_packets, packets.min(), side="right")) - 1
        while at >= 0 and self.packet_pts[self.key_packets[at]] > self.pts[start]:
            at -= 1
        first = int(self.key_packets[at]) if at >= 0 else 0
        return first, self._after_hidden(int(packets.max()) + 1)

    def _after_hidden(self, packet: int) -> int:
        """Return the first packet from `packet` on that is not hidden: a second field goes with its first."""
        while packet < self.num_packets and self.packet_flags[packet] & HIDDEN:
            packet += 1
        return packet

    def num_bytes(self, first: int, stop: int) -> int:
        """Return the bytes of packets [first, stop)."""
        return int(self._bytes_before[stop] - self._bytes_before[first])

    @cached_property
    def _bytes_before(self) -> Times:
        return np.concatenate([[0], np.cumsum(self.packet_size)])
