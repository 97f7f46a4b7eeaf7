"""What a Redis whose wall clock is set does to leases, locks and heartbeats: a real one, on its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from broker.config import BrokerConfig
from broker.connect import Broker, open_broker
from broker.heartbeats import BEATS_TO_LIVE, WorkerBeat
from broker.leases import RENDERING
from broker.presence import DOUBTFUL_TERMS, RedisPresence
from tests.fakes import FakeClock
from tests.faults.wall_clock import HOUR_S, WallClock, make_clock
from tests.services import PrivateRedis, running_redis

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_compiler]

CONFIG = BrokerConfig()
JOB = "job"
LOCK_S = 6.0
BEAT = WorkerBeat(worker="w1", host="h", pid=1, device="cpu", engines=(), state="ready")


@dataclass(frozen=True)
class Rig:
    """A farm's Redis, and its clock."""

    server: PrivateRedis
    clock: WallClock
    broker: Broker

    def left_s(self, what: str) -> float:
        """Return how long the one key lives whose name has `what` in it."""
        with self.server.client() as client:
            (key,) = client.keys(f"*:{what}:*")
            return client.pttl(key) / 1000


@pytest.fixture(scope="module")
def on_clock(tmp_path_factory) -> Iterator[tuple[PrivateRedis, WallClock]]:
    clock = make_clock(tmp_path_factory.mktemp("clock"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clock.environment.items():
            patch.setenv(name, value)  # of the server that is started: this process has its own clock already
        with running_redis() as server:
            yield server, clock


@pytest.fixture
def rig(on_clock) -> Rig:
    server, clock = on_clock
    server.flush()
    return Rig(server, clock, open_broker(BrokerConfig(redis_url=server.url)))


def test_a_lease_ends_within_a_term_of_a_clock_set_back(rig):
    """Whoever holds it may be dead. What it holds, and how far it is, stays."""
    leases = rig.broker.leases
    leases.offer(JOB, 3, 2)
    lease = leases.claim(JOB, 3, 2, "w1")
    leases.renew(lease, num_frames=7, stage=RENDERING)
    rig.clock.jump(-HOUR_S)
    assert rig.left_s("lease") > CONFIG.lease_ttl_s
    (holder,) = leases.holders(JOB).values()
    assert (holder.worker, holder.attempt, holder.num_frames) == ("w1", 2, 7)
    assert 0 < rig.left_s("lease") <= CONFIG.lease_ttl_s
    leases.renew(lease, num_frames=7, stage=RENDERING)


def test_a_render_that_hangs_is_seen_to_hang_after_a_clock_is_set_back(rig):
    """Its stillness begins anew, and does not wait for the hour to come again."""
    leases = rig.broker.leases
    leases.offer(JOB, 0, 1)
    lease = leases.claim(JOB, 0, 1, "w1")
    rig.clock.jump(-HOUR_S)
    assert leases.holders(JOB)[0].still_s == 0
    for _ in range(2):  # seconds pass, while the lease is renewed without a frame
        rig.clock.jump(4)
        leases.renew(lease, num_frames=0, stage="claimed")
    assert 8 <= leases.holders(JOB)[0].still_s < 60


def test_a_full_redis_lets_stillness_begin_anew(rig):
    leases = rig.broker.leases
    leases.offer(JOB, 0, 1)
    lease = leases.claim(JOB, 0, 1, "w1")
    rig.clock.jump(-HOUR_S)
    leases.renew(lease, num_frames=0, stage="claimed")  # its end is right again, and it still rests
    with rig.server.client() as client:
        client.config_set("maxmemory", 1)
    assert leases.holders(JOB)[0].still_s == 0
    rig.clock.jump(8)
    assert leases.holders(JOB)[0].still_s >= 8


def test_a_lock_ends_within_a_term_of_a_clock_set_back(rig):
    """Its owner may be dead; while it lives, it renews it, and keeps it."""
    leases = rig.broker.leases
    assert leases.lock_job(JOB, "a", LOCK_S)
    rig.clock.jump(-HOUR_S)
    assert not leases.lock_job(JOB, "b", LOCK_S)
    assert 0 < rig.left_s("advancing") <= LOCK_S
    assert leases.lock_job(JOB, "a", LOCK_S)


def test_a_silent_worker_is_gone_within_a_term_of_a_clock_set_back(rig):
    rig.broker.heartbeats.beat(BEAT)
    rig.clock.jump(-HOUR_S)
    assert rig.broker.heartbeats.live() == [BEAT]
    assert 0 < rig.left_s("worker") <= BEATS_TO_LIVE * CONFIG.heartbeat_s


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_leases_that_lapse_when_the_clock_is_set_count_against_nobody(rig, by_s: int):
    """For a term and a half; a clock that is off by little, as all are, says nothing."""
    clock = FakeClock()
    presence = RedisPresence(rig.server.client(), clock, lease_ttl_s=CONFIG.lease_ttl_s)
    presence.was_away()
    for _ in range(10):
        clock.sleep(CONFIG.lease_ttl_s * DOUBTFUL_TERMS / 8)
        found = presence.was_away()
    assert not found
    rig.clock.jump(by_s)
    assert presence.was_away()
    for _ in range(10):
        clock.sleep(CONFIG.lease_ttl_s * DOUBTFUL_TERMS / 8)
        found = presence.was_away()
    assert not found


def test_a_server_that_is_older_than_its_clock_says_is_not_doubted_for_an_hour(rig):
    """Its uptime is by its wall clock: set back, it was started in the future."""
    rig.clock.jump(-2 * HOUR_S)
    clock = FakeClock()
    presence = RedisPresence(rig.server.client(), clock, lease_ttl_s=CONFIG.lease_ttl_s)
    presence.was_away()
    for _ in range(10):
        clock.sleep(CONFIG.lease_ttl_s * DOUBTFUL_TERMS / 8)
        found = presence.was_away()
    assert not found
