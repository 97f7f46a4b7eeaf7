"""A worker lost under the settings that a farm has unless told otherwise: what was promised of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.farm_process import running_farm
from tests.faults.processes import kill, parent_of
from tests.faults.recovery import Outcome
from tests.faults.scene import Scene
from tests.faults.verdict import assert_unharmed

#: What was promised, in seconds.
PROMISED_S = 15.0


@contextmanager
def default_scene(home: Path) -> Iterator[Scene]:
    """Run a farm of two workers with default settings."""
    options = ("--workers", "2", "--warm", "passthrough")
    with running_farm(home, *options, timeout_s=120) as farm:
        yield Scene(farm, options)


def lose_a_worker(scene: Scene, clip: Path, output: Path) -> Outcome:
    """Kill -9 a worker, parent and all, in a chunk; return what that cost."""
    job = scene.submit(clip, output)
    scene.hold(job)
    parent = parent_of(scene.catch(job))
    lost = scene.caught
    scene.note(job)
    kill(parent)
    scene.gate.open()
    scene.wait(
        "the chunk runs again", lambda: scene.get(f"/api/jobs/{job}/chunks")[lost]["attempt"] > 1, 60.0
    )
    scene.wait("somebody has it", lambda: _is_held_again(scene, job, lost), 60.0)
    recovery_s = time.monotonic() - scene.hurt_at
    view = assert_unharmed(scene, job, clip, output)
    return Outcome(recovery_s, view["attempts"] - view["chunks"])


def _is_held_again(scene: Scene, job: str, index: int) -> bool:
    chunk = scene.get(f"/api/jobs/{job}/chunks")[index]
    return bool(chunk["attempt"] > 1 and chunk["state"] in {"leased", "rendered"})
