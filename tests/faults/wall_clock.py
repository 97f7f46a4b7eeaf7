"""A farm whose wall clock a test sets while it runs: in Redis, API, reconciler and workers alike."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.catalogue import Act, Fault, kill_worker
from tests.faults.gate import KEYS
from tests.faults.processes import children_of, kill
from tests.faults.scene import Scene, quick_scene
from tests.services import find_compiler

SOURCE = Path(__file__).with_name("wall_clock.c")

#: More than any term of a farm.
HOUR_S = 3600

#: Names of what can happen to a farm on such a clock; `clock_fault` does it.
CLOCK_FAULTS = (
    FORWARD := "clock set an hour forward",
    BACK := "clock set an hour back",
    KILL_AND_BACK := "kill -9 of a worker, and the clock set an hour back",
    KILL_LOCK_AND_BACK := "kill -9 of the reconciler in a step, and the clock set an hour back",
)

#: How far a clock may be from what it should show, in seconds: somebody had to ask for it.
NEAR_S = 60.0


@dataclass
class WallClock:
    """The wall clock of all who run in its `environment`, right until it is set. See wall_clock.c."""

    library: Path
    file: Path
    by_s: int = 0  # by how much it is wrong now

    def jump(self, by_s: int) -> None:
        """Set it forward, or back, for all at once."""
        self.by_s += by_s
        with self.file.open("r+b") as file:
            file.write(struct.pack("=q", self.by_s))

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be started with."""
        libraries = filter(None, (str(self.library), os.environ.get("LD_PRELOAD")))
        return {"LD_PRELOAD": ":".join(libraries), "WALL_CLOCK_FILE": str(self.file)}

    def require_seen(self, scene: Scene) -> None:
        """Hold every process of the farm to this clock, and Redis, by which leases end, to its time."""
        for pid in children_of(scene.launcher()):
            maps = Path(f"/proc/{pid}/maps").read_text()
            assert not maps or str(self.library) in maps, maps  # of who ended a moment ago there are none
        with scene.redis() as redis:
            assert abs(redis.time()[0] - (time.time() + self.by_s)) < NEAR_S


def make_clock(folder: Path) -> WallClock:
    """Compile it, and let it go right."""
    compiler = find_compiler()
    assert compiler is not None
    clock = WallClock(folder / "wall_clock.so", folder / "wrong_by_s")
    clock.file.write_bytes(bytes(struct.calcsize("=q")))
    subprocess.run([compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", clock.library, SOURCE], check=True)
    return clock


@contextmanager
def clock_scene(folder: Path) -> Iterator[tuple[Scene, WallClock]]:
    """Run a quick farm on a clock that can be set."""
    clock = make_clock(folder)
    with quick_scene(folder / "farm", **clock.environment) as scene:
        yield scene, clock


def clock_fault(name: str, clock: WallClock) -> Fault:
    """Return one of `CLOCK_FAULTS`, done to this clock."""
    by_s = HOUR_S if name == FORWARD else -HOUR_S
    return Fault(name, _set(clock, by_s, first=_FIRST.get(name)))


def _set(clock: WallClock, by_s: int, *, first: Act | None) -> Act:
    """Return an act. What a dead process held ends, by a clock set back after its death, in an hour."""

    def act(scene: Scene, job: str, randomness: random.Random) -> None:
        if first is not None:
            first(scene, job, randomness)
        clock.jump(by_s)
        clock.require_seen(scene)

    return act


def _kill_in_step(scene: Scene, job: str, _random: random.Random) -> None:
    """Kill the process that moves jobs on, while it has the job's lock."""
    pid = scene.process("tasks")

    def is_caught() -> bool:
        os.kill(pid, signal.SIGSTOP)
        with scene.redis() as redis:
            if redis.exists(KEYS.advancing(job)):
                return True
        os.kill(pid, signal.SIGCONT)
        return False

    scene.wait("it is caught in a step", is_caught)
    kill(pid)


_FIRST: dict[str, Act] = {KILL_AND_BACK: kill_worker, KILL_LOCK_AND_BACK: _kill_in_step}
