"""One fault, done to one job, and what came of it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.catalogue import Fault
from tests.faults.scene import ENDED, Scene


@dataclass(frozen=True)
class Outcome:
    """What a fault cost."""

    recovery_s: float  # from the fault until every chunk that was being rendered went on, or was done
    repeated: int  # attempts beyond one a chunk


def suffer(scene: Scene, fault: Fault, clip: Path, output: Path, randomness: random.Random) -> Outcome:
    """Submit a job, do the fault while it renders, and judge the result."""
    job = scene.submit(clip, output)
    scene.wait_until_rendering(job)
    fault.act(scene, job, randomness)
    scene.wait("every chunk goes on", lambda: _has_gone_on(scene, job))
    recovery_s = time.monotonic() - scene.hurt_at
    view = scene.judge(job, clip, output)
    assert scene.used_bytes() == 0
    return Outcome(recovery_s, view["attempts"] - view["chunks"])


def _has_gone_on(scene: Scene, job: str) -> bool:
    view = scene.view(job)
    if view["state"] in ENDED:
        return True
    running = {chunk["index"]: (chunk["attempt"], chunk["num_frames"]) for chunk in view["running"]}
    rendered = {
        chunk["index"] for chunk in scene.get(f"/api/jobs/{job}/chunks") if chunk["state"] == "rendered"
    }
    return all(
        chunk["index"] in rendered
        or running.get(chunk["index"], (0, 0)) > (chunk["attempt"], chunk["num_frames"])
        for chunk in scene.running_then
    )
