"""The reconciler is killed at any moment, and while it writes the output; the next one takes up its work."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.scene import ENDED, kill

# Minutes long, and a fault must come while the job runs: with `make test-all`, on a machine of known speed.
pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg, pytest.mark.soak]


def test_killed_again_and_again(scene, clip, tmp_path):
    """Kill -9 between any two of its steps, at new moments, from before the first packet is listed."""
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    randomness = random.Random(7)
    for _ in range(3):
        time.sleep(randomness.uniform(0, 1.2))
        if scene.view(job)["state"] not in ENDED:
            kill(scene.process("tasks"))
            scene.process("tasks")
    scene.judge(job, clip, output)


def test_killed_while_it_writes_the_output(scene, clip, tmp_path):
    """Kill -9 as soon as the unfinished output is there: nothing stands at its name, then all of it does."""
    output = tmp_path / "out.mov"
    pid = scene.process("tasks")
    job = scene.submit(clip, output)
    scene.wait("the output is being written", lambda: any(job in path.name for path in tmp_path.iterdir()))
    kill(pid)
    assert not output.exists()
    scene.judge(job, clip, output)
