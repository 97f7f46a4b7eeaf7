"""Chunks rendered as a worker renders them, but for changing any face: decoded, encoded, framed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from broker.framing import PacketRecord, StreamHeader, frame_end, frame_header, frame_packet, read_segment
from broker.messages import EncodeSpec
from farm.media.cut import Cutter
from farm.media.info import MediaInfo
from farm.media.manifest import Manifest, index
from farm.media.mux import MuxReport, mux
from farm.media.plan import plan_chunks
from farm.media.probe import probe
from farm.media.restamp import Restamper
from farm.media.target import Target, choose_target
from farm.media.timeline import Timeline
from farm.media.wishes import EncodingWish
from tests.farm.media.decoding import open_decoder, padded

GLOBAL_HEADER = 1 << 22


@dataclass
class Rendered:
    """A clip with everything that stitching needs."""

    input: Path
    info: MediaInfo
    manifest: Manifest
    target: Target
    segments: list[bytes]
    frames: tuple[int, int] | None = None

    def mux(self, output: Path, **changes) -> MuxReport:
        """Write the output."""
        settings = {
            "input_path": self.input,
            "info": self.info,
            "timeline": self.timeline,
            "target": self.target,
            "engine": "passthrough",
        } | changes
        chosen = settings.pop("segments", lambda: ([segment] for segment in self.segments))
        rendered = Restamper(chosen(), settings["timeline"], settings["target"].reorder)
        return mux(output, rendered=rendered, **settings)

    @property
    def timeline(self) -> Timeline:
        """The input's own times, of the frames that were rendered."""
        return Timeline.of(self.manifest, *(self.frames or ()))


def render(
    clip: Path, output: Path, *, chunks: int = 4, frames: tuple[int, int] | None = None, **options
) -> Rendered:
    """Cut a clip, render every chunk with a fresh encoder, and return what there is to stitch."""
    info = probe(clip)
    manifest = index(clip, info)
    target = choose_target(output, info, EncodingWish(**({"speed": "ultrafast"} | options)))
    plans = plan_chunks(manifest, chunk_s=manifest.duration_s / chunks, max_bytes=2**40, frames=frames)
    with Cutter(clip, info, manifest) as cutter:
        segments = [b"".join(render_segment(cutter.cut(plan), target.encode)) for plan in plans]
    return Rendered(clip, info, manifest, target, segments, frames)


def render_segment(pieces: Iterator[bytes], spec: EncodeSpec) -> Iterator[bytes]:
    """Decode a segment's own frames and encode them; stamps are frame indexes, as workers' are."""
    header, packets = read_segment(pieces)
    pictures = _pictures(header, packets)
    encoder = _open_encoder(header, spec)
    yield frame_header(
        StreamHeader(
            codec=spec.codec,
            codec_tag=encoder.codec_tag.strip("\0"),
            width=encoder.width,
            height=encoder.height,
            pix_fmt=spec.pix_fmt,
            time_base=encoder.time_base,
            extradata=encoder.extradata or b"",
            frame_rate=header.frame_rate,
            sample_aspect_ratio=header.sample_aspect_ratio,
            color_primaries=header.color_primaries,
            color_trc=header.color_trc,
            colorspace=header.colorspace,
            color_range=header.color_range,
            field_order=header.field_order,
            start=header.start,
            pts=tuple(range(header.start, header.start + len(header.pts))),
        )
    )
    count = 0
    for number, picture in enumerate([*pictures, None], header.start):
        for packet in encoder.encode(_stamped(picture, number, spec, encoder.time_base)):
            count += 1
            yield frame_packet(
                PacketRecord(
                    pts=packet.pts,
                    dts=packet.dts,
                    duration=1,
                    data=bytes(packet),
                    is_keyframe=packet.is_keyframe,
                )
            )
    yield frame_end(count)


def _pictures(header, packets) -> list[av.VideoFrame]:
    decoder = open_decoder(header)
    shown = [picture for packet in packets for picture in decoder.decode(padded(packet))]
    return [picture for picture in [*shown, *decoder.decode(None)] if picture.pts in set(header.pts)]


def _open_encoder(header: StreamHeader, spec: EncodeSpec) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(spec.codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = header.width, header.height, spec.pix_fmt
    encoder.framerate = header.frame_rate or Fraction(25)
    encoder.time_base = 1 / encoder.framerate
    encoder.thread_count = 1
    encoder.options = dict(spec.options)
    encoder.flags |= GLOBAL_HEADER
    encoder.open()
    return encoder


def _stamped(picture, number: int, spec: EncodeSpec, time_base: Fraction):
    if picture is None:
        return None
    picture = picture.reformat(format=spec.pix_fmt)
    picture.pts, picture.time_base, picture.pict_type = number, time_base, 0
    return picture
