"""The record of a running farm, the lock on its home, and homes that last one command."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from farm.errors import BadInput
from farm.launching.farm_file import FarmRecord, HomeLock, own_start
from farm.launching.identity import ProcessHandle, is_running, started_at
from farm.launching.private_home import private_home


def a_record(**fields):
    values = {
        "url": "http://127.0.0.1:1",
        "token": "t",
        "pid": os.getpid(),
        "started": own_start(),
        "redis_url": "unix:///r",
        **fields,
    }
    return FarmRecord(**values)


def test_what_is_written_is_read_and_nobody_else_may(tmp_path):
    a_record(flower_url="http://127.0.0.1:2").write(tmp_path)
    assert a_record(flower_url="http://127.0.0.1:2") == FarmRecord.read(tmp_path)
    assert (tmp_path / "farm.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["farm.json"]
    FarmRecord.remove(tmp_path)
    assert FarmRecord.read(tmp_path) is None


def test_a_record_whose_process_ended_or_is_another_is_none(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    for stale in (a_record(pid=process.pid), a_record(started=own_start() - 1)):
        stale.write(tmp_path)
        assert FarmRecord.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}'])
def test_a_damaged_record_is_none(tmp_path, text):
    (tmp_path / "farm.json").write_text(text)
    assert FarmRecord.read(tmp_path) is None


def test_secrets_do_not_show_in_logs():
    shown = repr(a_record(token="hush", redis_url="redis://:hush@h", flower_password="hush"))
    assert "hush" not in shown
    assert "127.0.0.1" in shown


def test_a_home_is_kept_to_one_farm_until_its_process_ends(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from farm.launching.farm_file import HomeLock\n"
        "lock = HomeLock(Path(sys.argv[1])); print('locked', flush=True); time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(BadInput) as caught:
            HomeLock(tmp_path)
        assert caught.value.code == "farm-already-up"
    finally:
        other.kill()
        other.communicate()
    HomeLock(tmp_path).close()


def test_a_process_handle_refuses_another_process_of_the_same_number():
    with pytest.raises(ProcessLookupError):
        ProcessHandle(os.getpid(), own_start() - 1)
    assert is_running(os.getpid(), own_start())
    assert started_at(os.getpid()) == own_start() > 0


def test_a_private_home_is_gone_afterwards(tmp_path, clock):
    with private_home(clock, tmp_path) as home:
        (home / "logs").mkdir()
        assert home.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_homes_of_killed_commands_are_swept_and_those_in_use_are_not(tmp_path, clock):
    left, used, young = (tmp_path / f"face-fusion-farm-{name}" for name in ("left", "used", "young"))
    other = tmp_path / "something-else"
    for home in (left, used, young, other):
        home.mkdir()
        (home / "farm.lock").touch()
    for home in (left, used, other):
        os.utime(home, (time.time() - 3600,) * 2)
    with HomeLock(used), private_home(clock, tmp_path) as home:
        assert sorted([used, young, other, home]) == sorted(tmp_path.iterdir())


def test_records_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_record().pid = 1
