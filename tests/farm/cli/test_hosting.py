"""What `farm up` says of itself, to whoever wants to use it or to join it, and how it ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from farm.cli.hosting import _lines
from farm.launching.farm_file import FarmRecord
from tests.farm.cli.test_session import line_with, started


def said_of(redis_url):
    record = FarmRecord(url="http://127.0.0.1:1", token="t", pid=1, started=1, redis_url=redis_url)
    return "\n".join(_lines(record, Path("/home/farm")))


@pytest.mark.parametrize("url", ["unix:///home/farm/redis.sock", "redis://:x@127.0.0.1:6379/0"])
def test_a_redis_that_only_this_machine_reaches_is_said_to_be_one(url):
    text = said_of(url)
    assert f"FARM_REDIS_URL={url} farm worker" in text
    assert "on this machine only" in text
    assert "FARM_REDIS_URL=redis://:PASSWORD@HOST:6379/0 farm up" in text


def test_of_a_redis_that_others_reach_no_such_thing_is_said():
    assert "this machine only" not in said_of("redis://:x@farm.example:6379/0")


def test_the_description_of_the_service_is_named():
    assert "http://127.0.0.1:1, described at /docs" in said_of("redis://farm.example/0")


@pytest.mark.needs_redis
def test_ctrl_c_ends_a_farm_that_is_up_with_a_word(environment):
    own = {**environment, "FARM_API_PORT": "0"}
    with started(own, "up", "--gpus", "none", "--warm", "passthrough", "--no-flower") as process:
        line_with(process.stderr, "stops it")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=40)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "the farm is down"
