"""What splitting and stitching cost: their share of a render's time, and how fast packets are listed."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from bench.clips import SOURCE, moving_pattern, portrait_clip
from bench.farm_process import RunningFarm, running_farm
from bench.results import write
from farm.media.cut import Cutter
from farm.media.manifest import index
from farm.media.plan import plan_chunks
from farm.media.probe import probe

RUNS = 3
CHUNK_S = 10
WINDOW_SHARE = 32 << 20  # bytes a segment, as with the window's default
HOURS_2 = 7200
CLAIM = (
    "Share of a job's time that splitting (listing packets, and cutting every chunk) and stitching (joining, "
    "checking, renaming) take, with one worker. Aims: 5 % each of passthrough, 2 % of "
    "portrait. Then the pass over a two-hour file's packets, from the page cache. Aim: 200 MB/s."
)


def main(clip: Path | None = None) -> None:  # noqa: ARG001 - as all benchmarks
    """Measure; write bench/results/splitting.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        minute = moving_pattern(folder / "minute.mp4", seconds=60, size="1920x1080")
        faces = portrait_clip(folder / "faces.mp4", seconds=8, size="1920x1080")
        with running_farm(folder / "farm", "--workers", "1") as farm:
            rows = [
                _shares(farm, minute, "pattern, 1080p30, 60 s", "passthrough"),
                _shares(farm, faces, "portrait moving, 1080p25, 8 s", "portrait"),
            ]
        rows += [_listing(folder, minute, suffix) for suffix in (".mp4", ".mkv", ".ts")]
    write("splitting", CLAIM, rows)


def _shares(farm: RunningFarm, path: Path, title: str, engine: str) -> dict[str, Any]:
    source = [] if engine == "passthrough" else ["--source", str(SOURCE)]
    output = path.with_name("out.mp4")
    result = farm.render(str(path), *source, "--engine", engine, "--overwrite", "-o", str(output))
    total, stitch = result["seconds"], _stitch_s(farm, result["job"])
    split = statistics.median(_timed(lambda: _split(path)) for _ in range(RUNS))
    return {
        "what": f"{engine}: {title}",
        "job_s": total,
        "split_s": split,
        "stitch_s": stitch,
        "split_share": split / total,
        "stitch_share": stitch / total,
    }


def _stitch_s(farm: RunningFarm, job: str) -> float:
    database = sqlite3.connect(f"file:{farm.home / 'farm.db'}?mode=ro", uri=True)
    query = "select finished_at - rendered_at from job where id = ?"
    return float(database.execute(query, (job,)).fetchone()[0])


def _split(path: Path) -> None:
    info = probe(path)
    manifest = index(path, info)
    plans = plan_chunks(manifest, chunk_s=Fraction(CHUNK_S), max_bytes=WINDOW_SHARE)
    with Cutter(path, info, manifest) as cutter:
        for plan in plans:
            for _ in cutter.cut(plan):
                pass


def _listing(folder: Path, minute: Path, suffix: str) -> dict[str, Any]:
    path = folder / f"long{suffix}"
    loop = ["-stream_loop", "-1", "-i", minute, "-t", str(HOURS_2), "-c", "copy"]
    subprocess.run(["ffmpeg", "-y", "-v", "error", *loop, path], check=True)
    info = probe(path)
    index(path, info)  # into the page cache
    seconds = statistics.median(_timed(lambda: index(path, info)) for _ in range(RUNS))
    size = path.stat().st_size
    path.unlink()
    return {
        "what": f"listing the packets of two hours of 1080p30 in {suffix}, {size / 1e6:.0f} MB",
        "index_s": seconds,
        "MB/s": size / 1e6 / seconds,
    }


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
