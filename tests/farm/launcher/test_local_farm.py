"""The all-in-one farm starts, mends itself, and leaves no process behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket

import pytest
import redis

from broker.clock import SystemClock
from farm.cli.connection import connect_to_new
from farm.config import FarmConfig
from farm.errors import BadInput, FarmUnreachable
from farm.launcher import LocalFarm
from farm.launching.config import LaunchConfig
from farm.launching.farm_file import FarmRecord
from farm.launching.plan import FarmPlan
from tests.farm.launcher.processes import is_alive, wait_until

pytestmark = pytest.mark.needs_redis


def a_plan(home, **fields):
    values = {
        "config": FarmConfig(home=home, database_url=f"sqlite:///{home / 'farm.db'}", api_port=0),
        "launch": LaunchConfig(environment=dict(os.environ)),
        "gpus": "none",
        "warm": "passthrough",
        "has_flower": False,
        **fields,
    }
    return FarmPlan(**values)


@pytest.fixture
def said():
    return []


@pytest.fixture
def local_farm(tmp_path, said):
    with LocalFarm(a_plan(tmp_path), SystemClock(), said.append) as farm:
        yield farm


def pids_of(farm):
    return {name: farm._supervisor.pid(name) for name in farm._supervisor.names()}


def test_a_farm_answers_is_on_record_keeps_its_home_and_stops(tmp_path, local_farm):
    with connect_to_new(local_farm, SystemClock()) as client:
        wait_until(client.workers)
        health = client.health()
        assert (health.redis, health.database, health.workers) == ("ok", "ok", 1)
    assert local_farm.record == FarmRecord.read(tmp_path)
    with pytest.raises(BadInput) as caught:
        LocalFarm(a_plan(tmp_path), SystemClock())
    assert caught.value.code == "farm-already-up"
    pids = pids_of(local_farm)
    assert {"redis", "worker-1", "api", "tasks"} == set(pids)
    assert all((tmp_path / "logs" / f"{name}.log").exists() for name in pids)
    local_farm.stop()
    assert not any(is_alive(pid) for pid in pids.values())
    assert FarmRecord.read(tmp_path) is None
    assert not (tmp_path / "farm.json").exists()


def test_a_killed_redis_and_api_come_back_under_the_same_addresses(local_farm, said):
    with connect_to_new(local_farm, SystemClock()) as client:
        before = pids_of(local_farm)
        for name in ("redis", "api"):
            os.kill(before[name], signal.SIGKILL)

        def is_mended():
            local_farm.tend()
            try:
                return client.health(timeout_s=2).redis == "ok" and len(said) == 2
            except FarmUnreachable:
                return False

        wait_until(is_mended)
        after = pids_of(local_farm)
    assert {"redis", "api"} == {name for name in before if before[name] != after[name]}


def test_a_port_that_is_taken_is_named_and_nothing_is_left(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        plan = a_plan(tmp_path)
        plan = dataclasses.replace(plan, config=dataclasses.replace(plan.config, api_port=port))
        with pytest.raises(BadInput, match=str(port)) as caught:
            LocalFarm(plan, SystemClock())
    assert caught.value.code == "port-taken"
    assert not (tmp_path / "farm.json").exists()
    with LocalFarm(a_plan(tmp_path), SystemClock()):
        pass


def test_the_api_listens_on_loopback_only(tmp_path):
    plan = a_plan(tmp_path)
    plan = dataclasses.replace(plan, config=dataclasses.replace(plan.config, api_host="0.0.0.0"))
    with pytest.raises(BadInput, match="loopback"):
        LocalFarm(plan, SystemClock())


def test_a_private_farm_leaves_nothing_in_a_redis_that_others_use(tmp_path, redis_url):
    launch = LaunchConfig(environment=dict(os.environ), redis_url=redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.set("farm:others", "kept")
        with LocalFarm(a_plan(tmp_path, launch=launch, is_private=True), SystemClock()) as farm:
            assert "redis" not in pids_of(farm)
            with connect_to_new(farm, SystemClock()) as api:
                wait_until(api.workers)
            assert len(client.keys()) > 1
        assert client.keys() == [b"farm:others"]
