"""4K passthrough: what the farm leaves of what decoding and encoding alone allow on this machine."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench.bare_loop import run_bare
from bench.clips import SOURCE, moving_pattern
from bench.farm_process import running_farm
from bench.results import write

RUNS = 3
CLAIM = (
    "3840×2160 passthrough to H.264: frames per second of the farm over decode and encode alone in one "
    "process (overlapped, same settings). Aim: 0.8 or more."
)


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/uhd.json."""
    del clip
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        path = moving_pattern(folder / "uhd.mp4", seconds=10, size="3840x2160", rate="24", gop=48)
        rows = []
        with running_farm(folder / "farm", "--workers", "1") as farm:
            ours, bare = [], []
            for _ in range(RUNS):
                result = farm.render(
                    str(path), "--engine", "passthrough", "--overwrite", "-o", str(folder / "o.mp4")
                )
                ours.append(result["frames"] / result["seconds"])
                bare.append(run_bare(path, SOURCE, "passthrough", folder / "bare.mp4", overlap=True))
            fps, limit = statistics.median(ours), statistics.median(bare)
            rows.append(
                {"frames": result["frames"], "farm_fps": fps, "bare_fps": limit, "ratio": fps / limit}
            )
    write("uhd", CLAIM, rows)


if __name__ == "__main__":
    main()
