"""How long until the first fused frame: cold, and with a farm already up."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.clips import SOURCE, portrait_clip
from bench.farm_process import FARM, running_farm
from bench.results import write

RUNS = 3
CLAIM = (
    "Seconds from typing `farm render` to the first fused frame. Aim: under 8 cold, under 2 with a farm up. "
    "Medians; page cache warm."
)


def main(clip: Path | None = None) -> None:
    """Measure both; write bench/results/startup.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        path = clip or portrait_clip(folder / "clip.mp4", seconds=4)
        arguments = [str(path), "--source", str(SOURCE), "--overwrite", "-o", str(folder / "out.mp4")]
        cold = [_measure([*FARM, "render", *arguments, "--private", "--json"], None) for _ in range(RUNS)]
        with running_farm(folder / "farm", "--workers", "1") as farm:
            warm = [_measure([*FARM, "render", *arguments, "--json"], farm.environment) for _ in range(RUNS)]
    write("startup", CLAIM, [_row("cold", cold), _row("farm already up", warm)])


def _measure(command: list[str], environment: dict[str, str] | None) -> dict[str, Any]:
    began = time.time()
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    result = json.loads(answer.stdout)
    submitted = result["created_at"] - began
    return {
        "submitted_s": submitted,
        "first_s": submitted + result["first_frame_s"],
        "all_s": time.time() - began,
    }


def _row(title: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return {
        "start": title,
        "first fused frame, s": middle["first_s"],
        "of it until submitted, s": middle["submitted_s"],
        "of it in the farm, s": middle["first_s"] - middle["submitted_s"],
        "whole command, s": middle["all_s"],
    }


if __name__ == "__main__":
    main()
