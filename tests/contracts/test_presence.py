"""What knows whether Redis was away: a real one that is frozen, or started anew, and the stand-in.

Where its clock is set: see `test_clock_set.py`.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from redis import Redis

from broker.config import BrokerConfig
from broker.connect import memory_broker
from broker.errors import BrokerUnreachable
from broker.presence import DOUBTFUL_TERMS, RedisPresence
from tests.fakes import FakeClock
from tests.services import running_redis

TERM_S = 10.0


def presence(url: str, clock: FakeClock) -> RedisPresence:
    return RedisPresence(Redis.from_url(url, socket_timeout=0.5), clock, lease_ttl_s=TERM_S)


@pytest.mark.needs_redis
def test_a_redis_that_always_answers_was_not_away():
    """But for its start: whoever begins to ask then cannot know what there was before."""
    clock = FakeClock()
    with running_redis() as server:
        watched = presence(server.url, clock)
        assert watched.was_away()
        for _ in range(10):
            clock.sleep(TERM_S * DOUBTFUL_TERMS / 8)
            found = watched.was_away()
        assert not found


@pytest.mark.needs_redis
def test_a_frozen_redis_was_away_for_a_lease_and_a_half():
    clock = FakeClock()
    with running_redis() as server:
        watched = presence(server.url, clock)
        watched.was_away()
        os.kill(server.process.pid, signal.SIGSTOP)
        with pytest.raises(BrokerUnreachable):
            watched.was_away()
        clock.sleep(10 * TERM_S)
        os.kill(server.process.pid, signal.SIGCONT)
        assert watched.was_away()
        clock.sleep(TERM_S * DOUBTFUL_TERMS / 4)
        assert watched.was_away()
        for _ in range(4):
            clock.sleep(TERM_S * DOUBTFUL_TERMS / 4)
            found = watched.was_away()
        assert not found


@pytest.mark.needs_redis
def test_another_server_at_the_same_place_was_away(tmp_path: Path):
    """However quickly it was started: what the last second brought may be lost."""
    clock = FakeClock()
    socket = Path(f"/tmp/farm-{os.getpid()}-{time.monotonic_ns()}.sock")
    with running_redis(socket=socket) as server:
        watched = presence(server.url, clock)
        for _ in range(10):
            clock.sleep(TERM_S * DOUBTFUL_TERMS / 8)
            found = watched.was_away()
        assert not found
    with running_redis(socket=socket):
        assert watched.was_away()
    socket.unlink(missing_ok=True)


def test_memory_was_away_when_a_test_says_so():
    clock = FakeClock()
    watched = memory_broker(BrokerConfig(), clock).presence
    assert not watched.was_away()
    watched.return_now()
    assert watched.was_away()
    clock.sleep(BrokerConfig().lease_ttl_s * DOUBTFUL_TERMS)
    assert not watched.was_away()
