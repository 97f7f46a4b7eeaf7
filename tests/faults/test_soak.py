"""Random faults against a farm that renders several jobs at once: nothing is lost, however long."""

from __future__ import annotations

import random
import sys
import time

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.config import SoakConfig
from tests.faults.scene import ENDED, Scene, TooLate, quick_scene

# Minutes long, and a fault must come while the job runs: with `make test-all`, on a machine of known speed.
pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg, pytest.mark.soak]

#: Jobs that are rendered at once.
NUM_JOBS = 3

#: A chunk that random kills hit three times is bad luck here, and no poison.
ATTEMPTS = "50"

#: Seconds of the soak that every run of the tests makes.
SHORT_S = 12.0


def test_a_short_soak(clip, tmp_path):
    """Less than a minute of it."""
    soak(clip, tmp_path, SHORT_S)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_long_soak(clip, tmp_path):
    """Ten minutes of it, or FARM_SOAK_SECONDS."""
    soak(clip, tmp_path, SoakConfig.from_environment().seconds)


def soak(clip, folder, seconds: float) -> None:
    """Hurt a farm at random for `seconds`; every job that it was given must end exactly as if undisturbed."""
    seed = SoakConfig.from_environment().seed
    say(f"soak of {seconds:g} s, FARM_SOAK_SEED={seed}")
    randomness = random.Random(seed)
    with quick_scene(folder / "farm", FARM_MAX_ATTEMPTS=ATTEMPTS) as scene:
        jobs = {}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            going = [job for job in jobs if is_going(scene, job)]
            while len(going) < NUM_JOBS:
                output = folder / f"{len(jobs)}.mov"
                going.append(scene.submit(clip, output))
                jobs[going[-1]] = output
            fault = randomness.choice(FAULTS)
            say(f"{end - time.monotonic():6.1f} s left, {len(jobs)} jobs: {fault.name}")
            hurt(scene, fault, randomness.choice(going), randomness)
        for job, output in jobs.items():
            scene.judge(job, clip, output)
        assert scene.used_bytes() == 0
    say(f"{len(jobs)} jobs, all exact")


def hurt(scene: Scene, fault, job: str, randomness: random.Random) -> None:
    """Do a fault, unless its job ends first."""
    try:
        fault.act(scene, job, randomness)
    except TooLate:
        say(f"{fault.name}: job {job} had ended before")


def is_going(scene: Scene, job: str) -> bool:
    """Say whether a job has yet to end; a farm that is being started again says so a little later."""
    view = scene.wait("the farm answers", lambda: scene.view(job))
    assert view["state"] not in ENDED or view["state"] == "done", view
    return view["state"] not in ENDED


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
