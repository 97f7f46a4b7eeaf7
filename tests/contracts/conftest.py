"""Each store in both kinds, so that one suite holds for the one in memory and the one in Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from broker.config import BrokerConfig
from broker.connect import Broker, memory_broker, open_broker
from tests.fakes import FakeClock
from tests.services import PrivateRedis

CONFIG = BrokerConfig()


@dataclass(frozen=True)
class Rig:
    """A broker, and a way to let seconds pass for every lease, lock and heartbeat in it, without waiting."""

    broker: Broker
    elapse: Callable[[float], None]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.needs_redis)])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "memory":
        clock = FakeClock()
        return Rig(memory_broker(CONFIG, clock), clock.sleep)
    server: PrivateRedis = request.getfixturevalue("redis_server")
    server.flush()
    broker = open_broker(BrokerConfig(redis_url=server.url))
    return Rig(broker, lambda seconds: _age(server, seconds))


@pytest.fixture
def broker(rig: Rig) -> Broker:
    return rig.broker


def _age(server: PrivateRedis, seconds: float) -> None:
    """Bring the end of every key that has one closer; Redis itself lets those expire whose end has come."""
    with server.client() as client:
        for key in client.keys("*"):
            if (left_ms := client.pttl(key)) > 0:
                client.pexpire(key, left_ms - round(seconds * 1000))
        for key in client.keys("*:lease:*"):
            client.hincrby(key, "moved_ms", -round(seconds * 1000))
