"""Of a private farm that failed, the ends of its logs remain, of a few failures."""

from __future__ import annotations

import os

import pytest

from farm.launching import kept_logs
from farm.launching.kept_logs import keep_logs


@pytest.fixture
def farm_home(tmp_path):
    (tmp_path / "private" / "logs").mkdir(parents=True)
    (tmp_path / "private" / "logs" / "worker-1.log").write_text("why it failed\n")
    return tmp_path / "private"


def test_logs_are_copied_into_a_directory_that_names_the_job(farm_home, tmp_path):
    directory = keep_logs(farm_home, tmp_path / "user" / "home", "j1")
    assert directory == tmp_path / "user" / "home" / "failed-j1"
    assert (directory / "worker-1.log").read_text() == "why it failed\n"


def test_of_a_long_log_the_end_is_kept(farm_home, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_logs, "TAIL_BYTES", 7)
    directory = keep_logs(farm_home, tmp_path, "j1")
    assert (directory / "worker-1.log").read_text() == "failed\n"


def test_the_newest_five_are_kept_and_nothing_else_is_touched(farm_home, tmp_path):
    user = tmp_path / "user"
    user.mkdir()
    (user / "failed-notes.txt").write_text("the user's own")
    (user / "jobs").mkdir()
    for number in range(8):
        directory = keep_logs(farm_home, user, f"j{number}")
        os.utime(directory, (number, number))
    names = {path.name for path in user.iterdir()}
    assert names == {"failed-notes.txt", "jobs", *(f"failed-j{number}" for number in range(3, 8))}


def test_where_nothing_can_be_written_nothing_is_kept(farm_home, tmp_path):
    (tmp_path / "file").write_text("")
    assert keep_logs(farm_home, tmp_path / "file", "j1") is None
