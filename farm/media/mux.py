"""Join rendered segments and the input's other streams into the output file."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer

from farm.errors import OutputRefused
from farm.media.copies import Copies, add_copies, copied_packets
from farm.media.info import MediaInfo, OtherStream
from farm.media.muxers import muxer_options
from farm.media.opening import open_video
from farm.media.padded import padded_packet
from farm.media.rendered import add_rendered_stream
from farm.media.restamp import Restamper, Stamped
from farm.media.table import Manifest
from farm.media.tags import kept_stream_tags, output_tags
from farm.media.target import Target

Segments = Callable[[], Iterable[Iterable[bytes]]]
Progress = Callable[[int, int], None]

#: Frames between two reports of progress.
_REPORT_EVERY = 64

_ALWAYS = Fraction(-(2**63))


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
    manifest: Manifest,
    target: Target,
    segments: Segments,
    engine: str,
    on_progress: Progress | None = None,
) -> MuxReport:
    """Write the output: the rendered video with the input's times, everything else copied.

    `segments()` yields, in order, each chunk's segment as its bytes; `engine` is named in the tags.
    `on_progress(frames_done, frames_total)` is called now and then, and once at the end. Few packets are
    held at a time, however long the video.

    Raises:
        StitchMismatch: the segments do not fit together, or not to the manifest.
        TruncatedVideo: the input cannot be read any more.
        OutputRefused: the output cannot be written.
    """
    rendered = Restamper(segments(), manifest, target.reorder)
    with open_video(input_path) as source:
        tags = output_tags(source.metadata, engine=engine)
        options = muxer_options(target.container, tags, _time_bases(info))
        try:
            name = f"file:{output.absolute()}"
            with av.open(name, "w", format=target.container, container_options=options) as container:
                container.metadata.update(tags)
                container.set_chapters(source.chapters())
                joint = _Joint(container, source, info, manifest)
                joint.add_streams(rendered, target.codec)
                return joint.run(input_path, on_progress or _silent)
        except av.error.FFmpegError as error:
            raise OutputRefused(
                f"{output.name} cannot be written: {error.strerror}",
                hint="check the free space where the output goes",
            ) from error


class _Joint:
    """An output being filled."""

    def __init__(
        self, container: OutputContainer, source: InputContainer, info: MediaInfo, manifest: Manifest
    ) -> None:
        self._container = container
        self._source = source
        self._info = info
        self._manifest = manifest
        self._copies = Copies()
        self._packets: Iterator[Stamped] = iter(())

    def add_streams(self, rendered: Restamper, codec: str) -> None:
        """Add the video first, then what is copied."""
        packets = rendered.packets()
        first = next(packets)
        self._packets = itertools.chain([first], packets)
        self._video = add_rendered_stream(
            self._container, codec, rendered.header, first.data, self._manifest.time_base
        )
        rate = self._info.video.average_rate
        if rate is not None and self._manifest.is_constant_rate:
            # Only then: players and muxers take it for the distance between any two frames.
            self._video.codec_context.framerate = rate
        original = self._source.streams[self._info.video.index]
        self._video.metadata.update(kept_stream_tags(original.metadata))
        self._video.disposition = original.disposition
        self._copies = add_copies(self._source, self._container, self._info)

    def run(self, input_path: Path, on_progress: Progress) -> MuxReport:
        """Write all packets in the order of their decode times."""
        counts: Counter[int] = Counter()
        video = self._video_packets(on_progress)
        waiting = next(video, None)
        for packet in copied_packets(self._source, self._copies.streams, input_path):
            while waiting is not None and _seconds(waiting) <= _seconds(packet):
                self._container.mux_one(waiting)
                waiting = next(video, None)
            counts[packet.stream_index] += 1
            self._container.mux_one(packet)
        for rest in itertools.chain([] if waiting is None else [waiting], video):
            self._container.mux_one(rest)
        return MuxReport(
            num_frames=self._manifest.num_frames, copied=dict(counts), dropped=tuple(self._copies.dropped)
        )

    def _video_packets(self, on_progress: Progress) -> Iterator[av.Packet[Any]]:
        for number, stamped in enumerate(self._packets, 1):
            yield self._packet(stamped)
            if number % _REPORT_EVERY == 0:
                on_progress(number, self._manifest.num_frames)
        on_progress(self._manifest.num_frames, self._manifest.num_frames)

    def _packet(self, stamped: Stamped) -> av.Packet[Any]:
        packet = padded_packet(stamped.data)
        packet.stream = self._video
        packet.pts, packet.dts, packet.duration = stamped.pts, stamped.dts, stamped.duration
        packet.time_base = self._manifest.time_base
        packet.is_keyframe = stamped.is_keyframe
        return packet


def _time_bases(info: MediaInfo) -> list[Fraction]:
    return [info.video.time_base, *(stream.time_base for stream in info.others if stream.time_base)]


def _seconds(packet: av.Packet[Any]) -> Fraction:
    """Return when a packet is decoded; a packet without any time goes out at once."""
    time = packet.pts if packet.dts is None else packet.dts
    return _ALWAYS if time is None or packet.time_base is None else time * packet.time_base


def _silent(done: int, total: int) -> None:
    pass
