"""Give rendered packets the input's own times.

Workers stamp frames with whatever their encoder likes; a segment's header lists those stamps in
presentation order. So a packet's frame is where its stamp stands in that list, and its pts is what the
timeline says of that frame.

Decode times follow from presentation times: packet i is decoded when frame i - d is shown, where d is the
number of packets by which decode order runs ahead. One d holds for the whole file, so decode times grow
evenly across joins; it follows from the encoder's settings (`Target.reorder`), and a larger d than the
packets need only makes decoding begin earlier. Before the first frame, times go on backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from broker.errors import SegmentCorrupt
from broker.framing import PacketRecord, StreamHeader, read_segment
from farm.errors import StitchMismatch
from farm.media.table import Times
from farm.media.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A rendered packet with its times, in the timeline's time base."""

    pts: int
    dts: int
    duration: int
    data: bytes
    is_keyframe: bool


class Stamper:
    """Knows when each frame is shown, and when its packet is decoded."""

    def __init__(self, timeline: Timeline, reorder: int) -> None:
        self._timeline = timeline
        self._reorder = reorder
        self._decode_times = _strictly_growing(timeline.pts)

    def stamped(self, packet: PacketRecord, frame: int, position: int) -> Stamped:
        """Return the packet that shows `frame` and is the `position`-th to be decoded.

        Raises:
            StitchMismatch: decode order runs further ahead than the encoder's settings allow.
        """
        if frame < position - self._reorder:
            raise StitchMismatch(f"frame {frame} is decoded later than the encoder's settings allow")
        return Stamped(
            pts=int(self._timeline.pts[frame]),
            dts=self._decode_time(position - self._reorder),
            duration=int(self._timeline.durations[frame]),
            data=packet.data,
            is_keyframe=packet.is_keyframe,
        )

    def _decode_time(self, frame: int) -> int:
        if frame >= 0:
            return int(self._decode_times[frame])
        return int(self._decode_times[0]) + frame * int(self._timeline.durations[0])


def _strictly_growing(pts: Times) -> Times:
    """Return the latest times that are none later than `pts` and all different: muxers refuse others."""
    ranks = np.arange(len(pts))
    return np.minimum.accumulate((pts - ranks)[::-1])[::-1] + ranks


class Restamper:
    """Reads segments in order and yields their packets with the timeline's times. Holds one packet."""

    def __init__(self, segments: Iterable[Iterable[bytes]], timeline: Timeline, reorder: int) -> None:
        self._segments = iter(segments)
        self._timeline = timeline
        self._stamper = Stamper(timeline, reorder)
        self._end = 0  # frames of the segments read so far
        self.header, self._packets = self._open_first()

    def packets(self) -> Iterator[Stamped]:
        """Yield every packet of every segment, in decode order.

        Raises:
            StitchMismatch: segments do not fit together, or not to the timeline.
        """
        yield from self._segment(self.header, self._packets)
        for segment in self._segments:
            header, packets = _read(segment)
            self._check_like_first(header)
            yield from self._segment(header, packets)
        if self._end != self._timeline.num_frames:
            raise StitchMismatch(f"segments hold {self._end} of {self._timeline.num_frames} frames")

    def _open_first(self) -> tuple[StreamHeader, Iterator[PacketRecord]]:
        segment = next(self._segments, None)
        if segment is None:
            raise StitchMismatch("there is no segment to stitch")
        return _read(segment)

    def _segment(self, header: StreamHeader, packets: Iterator[PacketRecord]) -> Iterator[Stamped]:
        start = self._end
        if header.start != self._timeline.first + start:
            wanted = self._timeline.first + start
            raise StitchMismatch(f"a segment begins at frame {header.start}; frame {wanted} is next")
        if start + len(header.pts) > self._timeline.num_frames:
            raise StitchMismatch(f"segments hold more than {self._timeline.num_frames} frames")
        waiting = {stamp: start + rank for rank, stamp in enumerate(header.pts)}
        for position, packet in enumerate(_checked(packets), start):
            frame = waiting.pop(packet.pts, None)  # type: ignore[arg-type]
            if frame is None:
                raise StitchMismatch(
                    f"a packet of the segment at frame {start} has the odd time {packet.pts}"
                )
            yield self._stamper.stamped(packet, frame, position)
        if waiting:
            raise StitchMismatch(f"frame {min(waiting.values())} is missing from its segment")
        self._end = start + len(header.pts)

    def _check_like_first(self, header: StreamHeader) -> None:
        for name in ("codec", "codec_tag", "width", "height", "pix_fmt", "extradata"):
            if getattr(header, name) != getattr(self.header, name):
                raise StitchMismatch(
                    f"the segment at frame {header.start} has another {name} than the first",
                    hint="all workers must run the same encoder: compare their versions",
                )


def _read(segment: Iterable[bytes]) -> tuple[StreamHeader, Iterator[PacketRecord]]:
    try:
        return read_segment(segment)
    except SegmentCorrupt as error:
        raise StitchMismatch(f"a rendered segment cannot be read: {error}") from error


def _checked(packets: Iterator[PacketRecord]) -> Iterator[PacketRecord]:
    try:
        yield from packets
    except SegmentCorrupt as error:
        raise StitchMismatch(f"a rendered segment cannot be read: {error}") from error
