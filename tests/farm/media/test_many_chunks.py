"""Five thousand chunks are stitched one at a time, in memory that does not grow with them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from broker.framing import frame_end, frame_header, frame_packet, read_segment
from farm.media.mux import mux
from farm.media.restamp import Restamper
from farm.media.verify import verify
from tests.clips import make_clip
from tests.farm.media.rendering import render

NUM_CHUNKS = 5000
MIB = 1 << 20


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_five_thousand_chunks_cost_what_one_does(tmp_path):
    """Of FFV1, where each frame stands alone: a chunk a frame, a file a chunk."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=NUM_CHUNKS, size=(32, 32))
    rendered = render(clip, tmp_path / "chunks.mkv", chunks=1, lossless=True)
    header, records = read_segment(rendered.segments)
    spool = tmp_path / "spool"
    spool.mkdir()
    for number, record in enumerate(records):
        own = replace(header, start=number, pts=(record.pts,))
        (spool / f"{number:06d}").write_bytes(frame_header(own) + frame_packet(record) + frame_end(1))
    seen: list[tuple[int, int]] = []
    segments = (iter([path.read_bytes()]) for path in sorted(spool.iterdir()))
    output = tmp_path / "out.mkv"
    report = mux(
        output,
        input_path=clip,
        info=rendered.info,
        timeline=rendered.timeline,
        target=rendered.target,
        rendered=Restamper(segments, rendered.timeline, rendered.target.reorder),
        engine="passthrough",
        on_progress=lambda *_: seen.append((len(list(Path("/proc/self/fd").iterdir())), resident_bytes())),
    )
    verify(output, rendered.timeline, rendered.info, rendered.target, copied=report.copied)
    assert report.num_frames == NUM_CHUNKS
    files, memory = zip(*seen, strict=True)
    assert max(files) == min(files)
    assert memory[-1] - memory[len(memory) // 10] < 8 * MIB
