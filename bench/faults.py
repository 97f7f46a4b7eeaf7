"""What faults cost: each of the catalogue, done to a real farm, `BENCH_TIMES` times over."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.results import write
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.recovery import Outcome, suffer
from tests.faults.scene import Scene, quick_scene
from tests.faults.verdict import make_clip

TIMES = 3
CLAIM = (
    "Faults done to a farm of two workers while it renders (leases of 2 s, heartbeats of 0.5 s). "
    "Identical: the decoded frames are those of an undisturbed run, and no key, file or row is left. "
    "Recovery: seconds from the fault until every chunk that was being rendered goes on. "
    "Repeated: attempts beyond one a chunk, at most."
)


def main(clip: Path | None = None) -> None:
    """Do every fault; write bench/results/faults.json."""
    times = int(os.environ.get("BENCH_TIMES") or TIMES)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        clip = clip or make_clip(folder / "clip.mp4")
        with quick_scene(folder / "farm") as scene:
            rows = [_row(scene, fault, clip, folder, times) for fault in FAULTS]
    write("faults", CLAIM, rows)
    if not all(row["identical"] == row["times"] for row in rows):
        raise SystemExit("a fault was seen in the output: see bench/results/faults.json")


def _row(scene: Scene, fault: Fault, clip: Path, folder: Path, times: int) -> dict[str, Any]:
    outcomes: list[Outcome] = []
    for number in range(times):
        output = folder / f"{number}.mov"
        output.unlink(missing_ok=True)
        try:
            outcomes.append(suffer(scene, fault, clip, output, random.Random(number)))
        except AssertionError as error:
            print(f"{fault.name}: {error}", flush=True)
    recoveries = [outcome.recovery_s for outcome in outcomes]
    print(f"{fault.name}: {recoveries}", flush=True)
    return {
        "fault": fault.name,
        "times": times,
        "identical": len(outcomes),
        "recovery median, s": statistics.median(recoveries) if recoveries else None,
        "recovery worst, s": max(recoveries, default=None),
        "repeated": max((outcome.repeated for outcome in outcomes), default=None),
    }


if __name__ == "__main__":
    main()
