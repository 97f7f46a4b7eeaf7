"""A private farm that fails says where its logs are: it is gone, and its home with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.inputs import KINDS

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


@pytest.fixture
def damaged(tmp_path):
    """A video whose header is whole, and whose pictures are not; only a decoder can know."""
    path = KINDS["prores-mov"].make(tmp_path)
    data = bytearray(path.read_bytes())
    first = data.index(b"mdat") + len(data) // 3
    data[first : first + len(data) // 4] = b"\xa5" * (len(data) // 4)
    path.write_bytes(data)
    return path


def kept_in(home):
    (directory,) = home.glob("failed-*")
    return directory


def test_a_job_that_failed_leaves_the_logs_and_names_them(farm, damaged, home, tmp_path, environment):
    result = farm(
        *("render", damaged, "--engine", "passthrough", "-o", tmp_path / "out.mp4", "--json"),
        FARM_MAX_ATTEMPTS="1",
    )
    assert result.returncode == 1, result
    error = json.loads(result.stdout)["error"]
    directory = kept_in(home)
    assert error["hint"].endswith(f"the farm's logs are kept in {directory}")
    assert "is damaged; --salvage" in (directory / "worker-1.log").read_text()
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_a_farm_that_dies_again_and_again_leaves_its_logs_too(farm, clip, home, tmp_path):
    result = farm(
        *("render", clip, "--engine", "passthrough", "-o", tmp_path / "out.mp4"),
        CELERY_LOADER="nowhere.at_all",
    )
    assert result.returncode == 3, result
    directory = kept_in(home)
    assert f"the farm's logs are kept in {directory}" in result.stderr
    assert "nowhere" in (directory / "worker-1.log").read_text()
