"""With the settings that a farm has unless told otherwise, a lost worker costs 15 s at most."""

from __future__ import annotations

import time

import pytest

from bench.farm_process import running_farm
from tests.faults.processes import parent_of
from tests.faults.scene import Scene, kill

# Minutes long, and a fault must come while the job runs: with `make test-all`, on a machine of known speed.
pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg, pytest.mark.soak]

#: What was promised, in seconds.
PROMISED_S = 15.0


def test_a_killed_worker_costs_fifteen_seconds_at_most(clip, tmp_path):
    """Its chunk is rendered by another within that time, and no other chunk is rendered twice."""
    options = ("--workers", "2", "--warm", "passthrough")
    with running_farm(tmp_path / "farm", *options, timeout_s=120) as farm:
        scene = Scene(farm, options)
        output = tmp_path / "out.mov"
        job = scene.submit(clip, output)
        pid = scene.catch(job)
        hurt = {chunk["worker"]: chunk["index"] for chunk in scene.running_then}
        name = next(worker["worker"] for worker in scene.get("/api/workers") if worker["pid"] == pid)
        began = time.monotonic()
        kill(parent_of(pid))
        scene.wait(
            "the chunk runs again",
            lambda: (
                scene.get(f"/api/jobs/{job}/chunks")[hurt[name]]["attempt"] > 1
                and any(chunk["index"] == hurt[name] for chunk in scene.view(job)["running"])
            ),
            PROMISED_S,
        )
        assert time.monotonic() - began < PROMISED_S
        view = scene.judge(job, clip, output)
        assert view["attempts"] <= view["chunks"] + 1
