"""Run benchmarks: all of them, or those named. `BENCH_CLIP=video.mp4` adds a clip of your own."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

NAMES = (
    "exactness",
    "video_truth",
    "portrait",
    "jitter",
    "flicker",
    "roi",
    "detection",
    "efficiency",
    "splitting",
    "uhd",
    "swap_speed",
    "upscale_memory",
    "stage_speed",
    "detectors",
    "memory_set",
    "redis_memory",
    "startup",
    "faults",
    "store_scale",
    "queue_1000",
    "engine_cpu",
    "passes",
    "reuse",
    "stills",
    "seeds",  # last: it reads the others' results
)


def main(names: list[str]) -> None:
    clip = os.environ.get("BENCH_CLIP")
    for name in names or NAMES:
        if name not in NAMES:
            raise SystemExit(f"no benchmark {name!r}; there are: {', '.join(NAMES)}")
        print(f"— {name}", flush=True)
        import_module(f"bench.{name}").main(Path(clip) if clip else None)


if __name__ == "__main__":
    main(sys.argv[1:])
