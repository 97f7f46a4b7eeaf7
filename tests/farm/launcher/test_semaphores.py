"""Named semaphores outlive whoever made them; those of a farm's workers do not outlive the farm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from broker.clock import SystemClock
from farm.cli.connection import connect_to_new
from farm.launcher import LocalFarm
from farm.launching import guard
from farm.launching.child import Child
from farm.launching.farm_file import FarmRecord
from tests.farm.launcher.processes import is_alive, numbers_in, python_program, wait_until
from tests.farm.launcher.test_local_farm import a_plan

#: Makes a semaphore in a process of its own, as workers do, and stays.
OWNER = """
import multiprocessing, os, time
lock = multiprocessing.get_context("spawn").Lock()
print(os.getpid(), flush=True)
time.sleep(600)
"""


def mapped_by(groups):
    """Return the files of the semaphores that the processes of these groups have open.

    Whoever made one has it mapped under another name, that the C library removed: only the inode tells.
    """
    inodes = set()
    for pid, _ in guard._members(groups):
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
            inodes |= {int(line.split()[4]) for line in lines if "/dev/shm/sem." in line}
    return {path for path, inode in inodes_of_semaphores() if inode in inodes}


def inodes_of_semaphores():
    for path in Path("/dev/shm").glob("sem.*"):
        with suppress(OSError):  # somebody else's, gone meanwhile
            yield path, path.stat().st_ino


def start_owner(tmp_path):
    child = Child(python_program(tmp_path, OWNER))
    numbers_in(tmp_path / "child.log", 1)
    wait_until(lambda: mapped_by({child.pid}))
    return child


def test_a_child_that_is_finished_leaves_no_semaphore(tmp_path):
    child = start_owner(tmp_path)
    files = mapped_by({child.pid})
    assert files
    assert child.finish() == -signal.SIGKILL
    assert not any(path.exists() for path in files)
    wait_until(lambda: not list(guard._members({child.pid})))


def test_a_child_that_was_killed_leaves_none_either(tmp_path):
    child = start_owner(tmp_path)
    files = mapped_by({child.pid})
    os.kill(child.pid, signal.SIGKILL)
    wait_until(child.has_ended)
    child.finish()
    assert not any(path.exists() for path in files)


def test_a_tracker_that_does_not_end_is_killed_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "TRACKER_S", 0.3)
    code = "import os, time; resource_tracker = 1; print(os.getpid(), flush=True); time.sleep(600)"
    child = Child(python_program(tmp_path, code))
    numbers_in(tmp_path / "child.log", 1)
    assert list(guard._members({child.pid})) == [(child.pid, True)]
    assert child.finish() == -signal.SIGKILL


def groups_of(home):
    """Return the process groups of the farm that runs in `home`."""
    pid = FarmRecord.read(home).pid
    listing = subprocess.run(["ps", "-eo", "ppid=,pgid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    return {group for parent, group in pairs if parent == pid} - {os.getpgid(pid)}


@pytest.mark.needs_redis
@pytest.mark.parametrize("is_private", [False, True])
def test_a_farm_that_stops_leaves_no_semaphore_and_no_temporary_file(tmp_path, is_private):
    with LocalFarm(a_plan(tmp_path, is_private=is_private), SystemClock()) as farm:
        with connect_to_new(farm, SystemClock()) as client:
            wait_until(client.workers)
        files = mapped_by(groups_of(tmp_path))
        assert files
        assert len(list(tmp_path.glob("tmp-*"))) == 1
    assert not any(path.exists() for path in files)
    assert not list(tmp_path.glob("tmp-*"))


FARM = """
import sys
from pathlib import Path
from broker.clock import SystemClock
from farm.launcher import LocalFarm
from tests.farm.launcher.test_local_farm import a_plan
with LocalFarm(a_plan(Path(sys.argv[1])), SystemClock()):
    SystemClock().sleep(600)
"""


@pytest.mark.needs_redis
def test_a_farm_that_is_killed_leaves_no_semaphore_and_no_temporary_file(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", FARM, str(tmp_path)])
    try:
        wait_until(lambda: FarmRecord.read(tmp_path) is not None)
        groups = groups_of(tmp_path)
        wait_until(lambda: "ready" in (tmp_path / "logs" / "worker-1.log").read_text())
        files = mapped_by(groups)
        assert files
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid, _ in guard._members(groups)))
    wait_until(lambda: not any(path.exists() for path in files))
    wait_until(lambda: not list(tmp_path.glob("tmp-*")))
