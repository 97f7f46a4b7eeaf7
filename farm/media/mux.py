"""Join rendered segments and the input's other streams into the output file."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from broker.framing import StreamHeader
from farm.errors import OutputRefused
from farm.media.copies import Copies, add_copies, copied_packets
from farm.media.covers import add_covers
from farm.media.info import MediaInfo, OtherStream
from farm.media.moved import move_of, moved_packets
from farm.media.muxers import muxer_options
from farm.media.opening import open_video
from farm.media.padded import padded_packet
from farm.media.rendered import add_rendered_stream
from farm.media.restamp import Stamped
from farm.media.tags import kept_stream_tags, output_tags
from farm.media.target import Target
from farm.media.timeline import Timeline
from farm.media.trimmed import shifted_time_code, trimmed_chapters, trimmed_packets

if TYPE_CHECKING:
    from av.container.core import Chapter  # there for type checkers only

Progress = Callable[[int, int], None]

#: Frames between two reports of progress.
_REPORT_EVERY = 64

_ALWAYS = Fraction(-(2**63))


_TIME_CODE = "timecode"  # FFmpeg's name of the tag


class RenderedVideo(Protocol):
    """The video that goes into an output, as packets with their final times."""

    header: StreamHeader

    def packets(self) -> Iterator[Stamped]:
        """Yield every packet, in decode order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxReport:
    """What went into the output."""

    num_frames: int
    copied: dict[int, int]  # output stream → packets copied into it
    dropped: tuple[OtherStream, ...]  # the input's streams that the output cannot hold


def mux(
    output: Path,
    *,
    input_path: Path,
    info: MediaInfo,
    timeline: Timeline,
    target: Target,
    rendered: RenderedVideo,
    engine: str,
    on_progress: Progress | None = None,
) -> MuxReport:
    """Write the output: the rendered video with the timeline's times, everything else copied.

    `engine` is named in the tags.
    `on_progress(frames_done, frames_total)` is called now and then, and once at the end. Few packets are
    held at a time, however long the video.

    Raises:
        StitchMismatch: the segments do not fit together, or not to the timeline.
        TruncatedVideo: the input cannot be read any more.
        OutputRefused: the output cannot be written.
    """
    with open_video(input_path) as source:
        tags = output_tags(source.metadata, engine=engine)
        options = muxer_options(
            target.container,
            tags,
            _time_bases(info, timeline),
            is_coloured=info.video.is_coloured,
            is_fragmented=target.is_fragmented,
        )
        try:
            name = f"file:{output.absolute()}"
            with av.open(name, "w", format=target.container, container_options=options) as container:
                container.metadata.update(tags)
                container.set_chapters(_chapters(source, timeline))
                joint = _Joint(container, source, info, timeline)
                joint.add_streams(rendered, target, input_path)
                return joint.run(input_path, on_progress or _silent)
        except av.error.FFmpegError as error:
            raise OutputRefused(
                f"{output.name} cannot be written: {error.strerror}",
                hint="check the free space where the output goes",
            ) from error


class _Joint:
    """An output being filled."""

    def __init__(
        self, container: OutputContainer, source: InputContainer, info: MediaInfo, timeline: Timeline
    ) -> None:
        self._container = container
        self._source = source
        self._info = info
        self._timeline = timeline
        self._copies = Copies()
        self._covers: list[av.Packet[Any]] = []
        self._packets: Iterator[Stamped] = iter(())
        self._move_s = move_of(source, container.format.name, timeline, info)
        self._move = int(self._move_s / timeline.time_base)  # in the video's ticks

    def add_streams(self, rendered: RenderedVideo, target: Target, input_path: Path) -> None:
        """Add the video first, then what is copied; covers last, where MP4 puts them anyway."""
        packets = rendered.packets()
        first = next(packets)
        self._packets = itertools.chain([first], packets)
        self._video = add_rendered_stream(
            self._container,
            target.codec,
            rendered.header,
            first.data,
            time_base=self._timeline.time_base,
            light=self._info.video.light,
        )
        rate = target.rate or self._info.video.average_rate
        if rate is not None and self._timeline.is_constant_rate:
            # Only then: players and muxers take it for the distance between any two frames.
            self._video.codec_context.framerate = rate
        original = self._source.streams[self._info.video.index]
        self._video.metadata.update(self._tags(original))
        self._video.disposition = original.disposition
        self._copies = add_copies(
            self._source,
            self._container,
            self._info,
            is_trimmed=self._timeline.span_s is not None,
        )
        self._covers = add_covers(self._container, self._source, self._info, input_path)

    def _tags(self, original: Stream) -> dict[str, str]:
        tags = kept_stream_tags(original.metadata)
        if _TIME_CODE in tags:
            rate = self._info.video.average_rate
            tags[_TIME_CODE] = shifted_time_code(tags[_TIME_CODE], self._timeline.first, rate)
        return tags

    def run(self, input_path: Path, on_progress: Progress) -> MuxReport:
        """Write all packets in the order of their decode times."""
        counts: Counter[int] = Counter()
        for cover in self._covers:
            self._container.mux_one(cover)
        video = self._video_packets(on_progress)
        waiting = next(video, None)
        copied = copied_packets(self._source, self._copies.streams, input_path)
        if self._timeline.span_s is not None:
            copied = trimmed_packets(copied, self._timeline.span_s, self._container.format.name)
        if self._move:
            copied = moved_packets(copied, self._move_s)
        for packet in copied:
            while waiting is not None and _seconds(waiting) <= _seconds(packet):
                self._container.mux_one(waiting)
                waiting = next(video, None)
            counts[packet.stream_index] += 1
            self._container.mux_one(packet)
        for rest in itertools.chain([] if waiting is None else [waiting], video):
            self._container.mux_one(rest)
        return MuxReport(
            num_frames=self._timeline.num_frames, copied=dict(counts), dropped=tuple(self._copies.dropped)
        )

    def _video_packets(self, on_progress: Progress) -> Iterator[av.Packet[Any]]:
        for number, stamped in enumerate(self._packets, 1):
            yield self._packet(stamped)
            if number % _REPORT_EVERY == 0:
                on_progress(number, self._timeline.num_frames)
        on_progress(self._timeline.num_frames, self._timeline.num_frames)

    def _packet(self, stamped: Stamped) -> av.Packet[Any]:
        packet = padded_packet(stamped.data)
        packet.stream = self._video
        packet.pts, packet.dts = stamped.pts + self._move, stamped.dts + self._move
        packet.duration = stamped.duration
        packet.time_base = self._timeline.time_base
        packet.is_keyframe = stamped.is_keyframe
        return packet


def _chapters(source: InputContainer, timeline: Timeline) -> list[Chapter]:
    chapters = source.chapters()
    return chapters if timeline.span_s is None else trimmed_chapters(chapters, timeline.span_s)


def _time_bases(info: MediaInfo, timeline: Timeline) -> list[Fraction]:
    return [timeline.time_base, *(stream.time_base for stream in info.others if stream.time_base)]


def _seconds(packet: av.Packet[Any]) -> Fraction:
    """Return when a packet is decoded; a packet without any time goes out at once."""
    time = packet.pts if packet.dts is None else packet.dts
    return _ALWAYS if time is None or packet.time_base is None else time * packet.time_base


def _silent(done: int, total: int) -> None:
    pass
