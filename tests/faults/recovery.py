"""One fault, done to one job, and what came of it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.catalogue import Fault
from tests.faults.scene import ENDED, Scene
from tests.faults.verdict import assert_unharmed, used_bytes


@dataclass(frozen=True)
class Outcome:
    """What a fault cost."""

    recovery_s: float  # from the fault until every chunk that was being rendered went on, or was done
    repeated: int  # attempts beyond one a chunk


def suffer(scene: Scene, fault: Fault, clip: Path, output: Path, randomness: random.Random) -> Outcome:
    """Submit a job, do the fault while it renders, and judge the result."""
    job = scene.submit(clip, output)
    scene.hold(job)
    fault.act(scene, job, randomness)
    scene.wait("the gate opens", lambda: scene.gate.open() or True)
    scene.wait("every chunk goes on", lambda: _has_gone_on(scene, job))
    recovery_s = time.monotonic() - scene.hurt_at
    view = assert_unharmed(scene, job, clip, output)
    assert used_bytes(scene) == 0
    return Outcome(recovery_s, view["attempts"] - view["chunks"])


def _has_gone_on(scene: Scene, job: str) -> bool:
    """Say whether each chunk that was held is done, or was begun anew; if none was, whether all is done."""
    view = scene.view(job)
    if view["state"] in ENDED:
        return True
    chunks = {chunk["index"]: chunk for chunk in scene.get(f"/api/jobs/{job}/chunks")}
    running = {chunk["index"]: chunk["attempt"] for chunk in view["running"]}
    return bool(scene.running_then) and all(
        chunks[chunk["index"]]["state"] == "rendered" or running.get(chunk["index"], 0) > chunk["attempt"]
        for chunk in scene.running_then
    )
