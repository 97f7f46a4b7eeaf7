"""What the farm says of a worker that died or left: the reason, long before its lease would lapse."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from broker.messages import HANDED_BACK, WORKER_DIED
from tests.faults.processes import is_running, kill, parent_of
from tests.faults.scene import quick_scene
from tests.faults.verdict import assert_unharmed

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

#: A lease, in seconds: what is known in `REPORT_S` can only have been reported, on a machine of any speed.
LEASE_S, REPORT_S = 300, 60.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A farm whose leases outlive the tests' patience."""
    with quick_scene(tmp_path_factory.mktemp("reports"), FARM_LEASE_TTL_S=str(LEASE_S)) as running:
        yield running


@pytest.fixture
def job(scene, clip, tmp_path):
    """A job of which every worker is held in a chunk; at the end it must be unharmed."""
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    scene.hold(job)
    yield job
    scene.gate.open()
    assert_unharmed(scene, job, clip, output)


def reasons(scene, job: str) -> list[str]:
    """Return why attempts at the job's chunks ended, so far."""
    with closing(sqlite3.connect(scene.farm.home / "farm.db")) as database:
        rows = database.execute(
            "SELECT detail FROM event WHERE job_id = ? AND new_state = 'soft-failed'", (job,)
        )
        return [detail for (detail,) in rows]


def test_a_dead_process_is_reported_with_its_signal(scene, job):
    """Its parent says what ended it."""
    kill(scene.catch(job))
    (reason,) = scene.wait("the death is reported", lambda: reasons(scene, job), REPORT_S)
    assert reason.startswith(WORKER_DIED)
    assert "SIGKILL" in reason


def test_a_crash_leaves_its_last_words(scene, job):
    """A fault in native code: the stack that it printed travels with the report."""
    pid = scene.catch(job)
    os.kill(pid, signal.SIGSEGV)
    os.kill(pid, signal.SIGCONT)
    (reason,) = scene.wait("the crash is reported", lambda: reasons(scene, job), REPORT_S)
    assert "SIGSEGV" in reason
    assert "Fatal Python error: Segmentation fault" in reason


def test_a_worker_told_to_end_hands_its_chunk_back(scene, job):
    """Before its chunk is done, as no failure of the chunk's; and then the worker goes."""
    pid = scene.catch(job)
    parent = parent_of(pid)
    os.kill(parent, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    (reason,) = scene.wait("the chunk is handed back", lambda: reasons(scene, job), REPORT_S)
    assert reason.startswith(HANDED_BACK)
    scene.wait("the worker is gone", lambda: not is_running(parent), REPORT_S)
    assert not is_running(pid)
