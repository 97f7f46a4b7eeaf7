"""Children end with whoever started them, however that ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from farm.launching.child import Child
from tests.farm.launcher.processes import is_alive, numbers_in, python_program, wait_until

WITH_GRANDCHILD = """
import os, subprocess, sys, time
inner = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", inner])
print(os.getpid(), flush=True)
print(child.pid, flush=True)
time.sleep(600)
"""

LAUNCHER = """
import sys, time
from pathlib import Path
from farm.launching.child import Child, Program
from farm.launching.lifeline import Lifeline
from farm.launching.supervisor import Supervisor
from broker.clock import SystemClock
directory = Path(sys.argv[1])
lifeline = Lifeline()
lifeline.add_path(directory / "home")
lifeline.add_path(directory / "partial.mp4")
supervisor = Supervisor(SystemClock(), lifeline, print)
supervisor.start(Program(
    name="child", command=(sys.executable, "-c", sys.argv[2]), environment={}, log=directory / "child.log"
))
time.sleep(600)
"""


def test_a_child_logs_to_its_file_and_its_status_is_known(tmp_path):
    child = Child(python_program(tmp_path, "import sys; print('once'); print('last words'); sys.exit(3)"))
    wait_until(child.has_ended)
    assert child.finish() == 3
    assert child.finish() == 3
    assert child.log_tail() == "last words"


def test_finishing_a_child_ends_what_it_started_too(tmp_path):
    child = Child(python_program(tmp_path, WITH_GRANDCHILD))
    pids = numbers_in(tmp_path / "child.log", 2)
    os.kill(child.pid, signal.SIGKILL)
    wait_until(child.has_ended)
    assert is_alive(pids[1])
    child.finish()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_kill_minus_nine_of_the_launcher_ends_children_and_grandchildren_and_removes_files(tmp_path):
    (tmp_path / "home" / "logs").mkdir(parents=True)
    (tmp_path / "partial.mp4").write_bytes(b"half")
    (tmp_path / "other.mp4").write_bytes(b"whole")
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, str(tmp_path), WITH_GRANDCHILD])
    pids = numbers_in(tmp_path / "child.log", 2)
    launcher.kill()
    launcher.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))
    wait_until(lambda: not (tmp_path / "home").exists() and not (tmp_path / "partial.mp4").exists())
    assert (tmp_path / "other.mp4").exists()


def test_a_child_dies_with_its_parent_even_if_there_is_no_guard(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from farm.launching.child import Child, Program\n"
        "Child(Program(name='c', command=(sys.executable, '-c', sys.argv[2]), environment={},"
        " log=Path(sys.argv[1])))\ntime.sleep(600)"
    )
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    log = tmp_path / "child.log"
    parent = subprocess.Popen([sys.executable, "-c", code, str(log), inner])
    (pid,) = numbers_in(log, 1)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(pid))
