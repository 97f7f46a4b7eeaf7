"""What the farm says of a worker that died or left: the reason, at once."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from broker.messages import HANDED_BACK, WORKER_DIED
from tests.faults.processes import is_running, parent_of
from tests.faults.scene import LOOK_S, kill, quick_scene

# Minutes long, and a fault must come while the job runs: with `make test-all`, on a machine of known speed.
pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg, pytest.mark.soak]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A farm whose leases outlive the tests' patience: only a report can be as fast as they ask."""
    with quick_scene(tmp_path_factory.mktemp("reports"), FARM_LEASE_TTL_S="10") as running:
        yield running


def reasons(scene, job: str) -> list[str]:
    """Return why attempts at the job's chunks ended, so far."""
    with closing(sqlite3.connect(scene.farm.home / "farm.db")) as database:
        rows = database.execute(
            "SELECT detail FROM event WHERE job_id = ? AND new_state = 'soft-failed'", (job,)
        )
        return [detail for (detail,) in rows]


def test_a_dead_process_is_reported_with_its_signal(scene, clip, tmp_path):
    """Its parent says what ended it, before the lease has lapsed."""
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    kill(scene.catch(job))
    (reason,) = scene.wait("the death is reported", lambda: reasons(scene, job), 1.5)
    assert reason.startswith(WORKER_DIED)
    assert "SIGKILL" in reason
    scene.judge(job, clip, output)


def test_a_crash_leaves_its_last_words(scene, clip, tmp_path):
    """A fault in native code: the stack that it printed travels with the report."""
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    pid = scene.catch(job)
    os.kill(pid, signal.SIGSEGV)
    os.kill(pid, signal.SIGCONT)
    (reason,) = scene.wait("the crash is reported", lambda: reasons(scene, job), 8.0)
    assert "SIGSEGV" in reason
    assert "Fatal Python error: Segmentation fault" in reason
    scene.judge(job, clip, output)


def test_a_worker_told_to_end_hands_its_chunk_back(scene, clip, tmp_path):
    """At once, as no failure of the chunk's; and the worker is gone within the time for a soft shutdown."""
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    pid = scene.catch(job)
    parent = parent_of(pid)
    os.kill(parent, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    (reason,) = scene.wait("the chunk is handed back", lambda: reasons(scene, job), 2.0)
    assert reason.startswith(HANDED_BACK)
    scene.wait("the worker is gone", lambda: not is_running(parent), 10.0)
    assert not is_running(pid)
    scene.judge(job, clip, output)
    assert len(reasons(scene, job)) == 1


def test_a_chunk_that_kills_every_worker_is_given_up(scene, clip, tmp_path):
    """Poison: after three deaths it fails, with its frames and the reason; the others are kept."""
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    pid = scene.catch(job)
    name = next(worker["worker"] for worker in scene.get("/api/workers") if worker["pid"] == pid)
    poison = next(chunk["index"] for chunk in scene.running_then if chunk["worker"] == name)
    kill(pid)
    while (view := scene.view(job))["state"] != "failed":
        assert view["state"] == "rendering"
        kill_holder(scene, job, poison)
        time.sleep(LOOK_S)
    chunks = scene.get(f"/api/jobs/{job}/chunks")
    (bad,) = [chunk for chunk in chunks if chunk["state"] == "failed"]
    assert {chunk["state"] for chunk in chunks if chunk is not bad} == {"rendered"}
    assert f"[{bad['start']}, {bad['end']})" in view["error"]["message"]
    assert "SIGKILL" in view["error"]["message"]
    scene.farm.command("retry", job)
    scene.judge(job, clip, output)


def kill_holder(scene, job: str, index: int) -> None:
    """Kill whoever holds this chunk, as soon as somebody does."""
    for worker in scene.get("/api/workers"):
        if (worker["job"], worker["chunk"]) == (job, index) and is_running(worker["pid"]):
            kill(worker["pid"])
