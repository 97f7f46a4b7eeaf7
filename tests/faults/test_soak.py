"""Random faults against a farm that renders several jobs at once: nothing is lost, however long."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.config import SoakConfig
from tests.faults.scene import ENDED, Scene, TooLate, quick_scene
from tests.faults.verdict import assert_unharmed, used_bytes

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

#: Jobs that are rendered at once.
NUM_JOBS = 3

#: A chunk that random kills hit three times is bad luck here, and no poison.
ATTEMPTS = "50"

#: Seconds of the soak that every run of the tests makes.
SHORT_S = 25.0


def test_a_short_soak(clip, tmp_path):
    """Half a minute of it."""
    Soak(clip, tmp_path, SHORT_S).run()


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_long_soak(clip, tmp_path):
    """Ten minutes of it, or FARM_SOAK_SECONDS."""
    Soak(clip, tmp_path, SoakConfig.from_environment().seconds).run()


@dataclass
class Soak:
    """Hurts a farm at random for a while; every job that it was given must end exactly as if undisturbed."""

    clip: Path
    folder: Path
    seconds: float
    seed: int = field(default_factory=lambda: SoakConfig.from_environment().seed)
    jobs: dict[str, Path] = field(default_factory=dict)  # all that were submitted, and their outputs
    done: Counter = field(default_factory=Counter)  # faults by name
    lasted_s: list[float] = field(default_factory=list)  # each job, from its submission to its end

    def run(self) -> None:
        """Hurt, then judge."""
        say(f"soak of {self.seconds:g} s, FARM_SOAK_SEED={self.seed}")
        randomness = random.Random(self.seed)
        with quick_scene(self.folder / "farm", FARM_MAX_ATTEMPTS=ATTEMPTS) as scene:
            end = time.monotonic() + self.seconds
            while (left_s := end - time.monotonic()) > 0:
                going = self._going(scene)
                fault = randomness.choice(FAULTS)
                say(f"{left_s:6.1f} s left, {len(self.jobs)} jobs: {fault.name}")
                self._hurt(scene, fault, going, randomness)
            for job, output in self.jobs.items():
                view = assert_unharmed(scene, job, self.clip, output)
                self.lasted_s.append(view["seconds"])
            assert used_bytes(scene) == 0
        self._report()

    def _going(self, scene: Scene) -> list[str]:
        going = [job for job in self.jobs if is_going(scene, job)]
        while len(going) < NUM_JOBS:
            output = self.folder / f"{len(self.jobs)}.mov"
            going.append(scene.wait("a job is taken", lambda: scene.submit(self.clip, output)))  # noqa: B023
            self.jobs[going[-1]] = output
        return going

    def _hurt(self, scene: Scene, fault, jobs: list[str], randomness: random.Random) -> None:
        """Do a fault to a job that is rendered now, unless all end first."""
        try:
            fault.act(scene, scene.hold(*jobs, num_busy=1), randomness)
            self.done[fault.name] += 1
        except TooLate:
            say(f"{fault.name}: too late, the job had ended")
        scene.wait("the gate opens", lambda: scene.gate.open() or True)

    def _report(self) -> None:
        for name, times in sorted(self.done.items()):
            say(f"{times:4} × {name}")
        say(
            f"{self.done.total()} faults, {len(self.jobs)} jobs, all exact; a job took "
            f"{statistics.median(self.lasted_s):.1f} s in the median, {max(self.lasted_s):.1f} s at worst"
        )


def is_going(scene: Scene, job: str) -> bool:
    """Say whether a job has yet to end; a farm that is being started again says so a little later."""
    view = scene.wait("the farm answers", lambda: scene.view(job))
    assert view["state"] not in ENDED or view["state"] == "done", view
    return view["state"] not in ENDED


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
