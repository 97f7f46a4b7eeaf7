"""A clip through the farm's and the workers' real code, in one process: cut, decode, encode, mux, verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from broker.framing import read_segment
from broker.messages import EncodeSpec
from farm.media.cut import Cutter
from farm.media.manifest import index
from farm.media.mux import MuxReport, mux
from farm.media.plan import plan_chunks
from farm.media.probe import probe
from farm.media.restamp import Restamper
from farm.media.target import choose_target
from farm.media.timeline import Timeline
from farm.media.verify import verify
from farm.media.wishes import EncodingWish
from workers.media.decode import decode
from workers.media.encode import Encoder


def work(
    clip: Path, output: Path, *, chunks: int = 3, salvage: bool = False, deinterlace: bool = False, **wish
) -> MuxReport:
    """Render a clip with no change, check the output as the farm does, and return what went into it."""
    info = probe(clip, salvage=salvage)
    if deinterlace:
        info = replace(info, video=replace(info.video, deinterlace=True, field_order=1))
    manifest = index(clip, info)
    target = choose_target(output, info, EncodingWish(**({"speed": "ultrafast"} | wish)))
    plans = plan_chunks(
        manifest,
        chunk_s=max(manifest.duration_s, manifest.time_base) / chunks,
        max_bytes=2**40,
        radius=int(deinterlace),
    )
    with Cutter(clip, info, manifest) as cutter:
        segments = [b"".join(_segment(cutter.cut(plan), target.encode)) for plan in plans]
    timeline = Timeline.of(manifest)
    report = mux(
        output,
        input_path=clip,
        info=info,
        timeline=timeline,
        target=target,
        rendered=Restamper(([segment] for segment in segments), timeline, target.reorder),
        engine="passthrough",
    )
    verify(output, timeline, info, target, copied=report.copied)
    return report


def _segment(pieces: Iterator[bytes], spec: EncodeSpec) -> Iterator[bytes]:
    header, packets = read_segment(pieces)
    encoder = Encoder(spec, header, threads=1)
    for frame in decode(header, packets, threads=1):
        if not frame.is_context:
            yield from encoder.encode(frame)
    yield from encoder.finish()
