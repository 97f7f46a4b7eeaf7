"""Is every frame of `passthrough --lossless` the input's own? Workers × chunk lengths, judged by FFmpeg."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from bench import judge
from bench.clips import moving_pattern
from bench.farm_process import running_farm
from bench.results import write

WORKERS = (1, 3)
CHUNK_SECONDS = (1, 3, 10)
CLAIM = "`render --engine passthrough --lossless`: decoded frames, times, audio packets against the input's."


def main(clip: Path | None = None) -> None:
    """Render every combination; write bench/results/exactness.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        clips = {"generated 720p30, 20 s, B-frames, AAC": moving_pattern(folder / "clip.mp4", seconds=20)}
        if clip is not None:
            clips[clip.name] = clip
        rows: list[dict[str, Any]] = []
        for workers in WORKERS:
            with running_farm(folder / f"farm{workers}", "--workers", str(workers)) as farm:
                for title, path in clips.items():
                    rows += [_row(farm, folder, title, path, workers, seconds) for seconds in CHUNK_SECONDS]
    write("exactness", CLAIM, rows)
    if not all(row[key] for row in rows for key in ("frames", "times", "times in ms", "audio")):
        raise SystemExit("not exact: see bench/results/exactness.json")


def _row(farm: Any, folder: Path, title: str, path: Path, workers: int, seconds: int) -> dict[str, Any]:
    exact, rounded = folder / "out.mov", folder / "out.mkv"
    options = ["--engine", "passthrough", "--lossless", "--chunk-seconds", str(seconds), "--overwrite"]
    result = farm.render(str(path), *options, "-o", str(exact))
    farm.render(str(path), *options, "-o", str(rounded))
    frames, times = judge.frame_md5s(path), judge.frame_times(path)
    milliseconds = [_to_ms(time - times[0]) for time in times]
    mkv_times = judge.frame_times(rounded)
    return {
        "clip": title,
        "workers": workers,
        "chunk_s": seconds,
        "chunks": result["chunks"],
        "count": len(frames),
        "frames": frames == judge.frame_md5s(exact) == judge.frame_md5s(rounded),
        "times": times == judge.frame_times(exact),
        "times in ms": milliseconds == [_to_ms(time - mkv_times[0]) for time in mkv_times],
        "audio": judge.audio_packets(path) == judge.audio_packets(exact) == judge.audio_packets(rounded),
        "digest": judge.digest(frames),
    }


def _to_ms(time: Fraction) -> int:
    return round(time * 1000)


if __name__ == "__main__":
    main()
