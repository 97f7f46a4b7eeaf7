"""What the farm costs: frames per second of `farm render` over a bare loop, same clip, same engine."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bench.bare_loop import run_bare
from bench.clips import SOURCE, portrait_clip
from bench.farm_process import running_farm
from bench.results import write

RUNS = 3
CLAIM = (
    "Frames per second with one warm worker over the bare engine loop (decode, fuse, encode in one process, "
    "no farm), from submission to the finished file. Aim: 0.9 or more. Medians; the loops are run in turn."
)


def main(clip: Path | None = None) -> None:
    """Measure both engines; write bench/results/efficiency.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        short = portrait_clip(folder / "short.mp4", seconds=6)
        long = portrait_clip(folder / "long.mp4", seconds=20)
        cases = [("portrait moving, 720p25, 6 s", short, "portrait")]
        cases += [(clip.name, clip, "portrait")] if clip is not None else []
        cases += [("portrait moving, 720p25, 20 s", long, "passthrough")]
        with running_farm(folder / "farm", "--workers", "1") as farm:
            rows = [_row(farm, folder, *case) for case in cases]
    write("efficiency", CLAIM, rows)


def _row(farm: object, folder: Path, title: str, path: Path, engine: str) -> dict[str, object]:
    source = ["--source", str(SOURCE)] if engine != "passthrough" else []
    ours, overlapped, plain = [], [], []
    for _ in range(RUNS):
        began = time.perf_counter()
        result = farm.render(
            str(path), *source, "--engine", engine, "--overwrite", "-o", str(folder / "out.mp4")
        )
        elapsed = time.perf_counter() - began
        ours.append(result["frames"] / result["seconds"])
        plain.append(run_bare(path, SOURCE, engine, folder / "bare.mp4", overlap=False))
        overlapped.append(run_bare(path, SOURCE, engine, folder / "bare.mp4", overlap=True))
    fps, bare, bare_overlapped = map(statistics.median, (ours, plain, overlapped))
    return {
        "clip": title,
        "engine": engine,
        "frames": result["frames"],
        "farm_fps": fps,
        "bare_fps": bare,
        "ratio": fps / bare,
        "bare_overlapped_fps": bare_overlapped,
        "ratio_overlapped": fps / bare_overlapped,
        "command_s": elapsed,
    }


if __name__ == "__main__":
    main()
