"""Does Redis need more for a longer video? Peak memory for a clip, and for one ten times as long."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

from redis import Redis

from bench.clips import moving_pattern
from bench.farm_process import RunningFarm, running_farm
from bench.results import write

SECONDS = 60
CLAIM = (
    "Peak memory of Redis over its idle memory while a clip, and one ten times longer, is rendered "
    "losslessly; asked of Redis itself (INFO memory). Equal within 10 %, both under the window of 256 MiB."
)
WINDOW_BYTES = 256 * 2**20


def main(clip: Path | None = None) -> None:
    """Measure both lengths; write bench/results/redis-memory.json."""
    del clip
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for times in (1, 10):
            path = moving_pattern(
                folder / f"clip{times}.mp4", seconds=SECONDS * times, size="640x360", gop=30
            )
            with running_farm(folder / f"farm{times}", "--workers", "1") as farm:
                rows.append(_row(farm, folder, path, SECONDS * times))
    ratio = rows[1]["peak_over_idle_mib"] / rows[0]["peak_over_idle_mib"]
    for row in rows:
        row["ratio"] = ratio
    write("redis-memory", CLAIM, rows)


def _row(farm: RunningFarm, folder: Path, path: Path, seconds: int) -> dict[str, Any]:
    redis = Redis.from_url(farm.redis_url())
    idle = redis.info("memory")["used_memory"]
    redis.config_resetstat()
    peak, counted = 0, 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak, counted
        while not done.wait(0.02):
            peak = max(peak, redis.info("memory")["used_memory"])
            counted = max(counted, int(redis.get("farm:bytes") or 0))

    thread = threading.Thread(target=watch)
    thread.start()
    result = farm.render(
        str(path), "--engine", "passthrough", "--lossless", "-o", str(folder / f"out{seconds}.mkv")
    )
    done.set()
    thread.join()
    (folder / f"out{seconds}.mkv").unlink()
    return {
        "clip_s": seconds,
        "chunks": result["chunks"],
        "idle_mib": idle / 2**20,
        "peak_mib": peak / 2**20,
        "peak_over_idle_mib": (peak - idle) / 2**20,
        "segments_peak_mib": counted / 2**20,
        "left_after_bytes": int(redis.get("farm:bytes") or 0),
        "window_mib": WINDOW_BYTES / 2**20,
    }


if __name__ == "__main__":
    main()
