"""Where Redis refuses, hangs up or is not there, the farm's own errors come out."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.config import BrokerConfig
from broker.connect import Broker, open_broker, ping, wait_until_up
from broker.errors import BrokerError, BrokerUnreachable, StoreFull
from broker.heartbeats import WorkerBeat
from broker.messages import SourceChecked
from broker.segments import SegmentName
from tests.fakes import FakeClock
from tests.samples import RENDERED
from tests.services import PrivateRedis, all_redis, running_redis

MIB = 2**20
NAME = SegmentName(job_id="job", index=0, kind="in", attempt=1)
BEAT = WorkerBeat(worker="w", host="h", pid=1, device="cpu", engines=(), state="ready")


@pytest.fixture(params=all_redis() or [None], ids=str)
def small(request: pytest.FixtureRequest) -> Iterator[PrivateRedis]:
    """A Redis of each version that is here, to be given a memory limit."""
    with running_redis(request.param) as server:
        yield server


@pytest.fixture
def full(small: PrivateRedis) -> Broker:
    """A broker on a Redis that has reached its memory limit."""
    broker = open_broker(BrokerConfig(redis_url=small.url))
    with small.client() as client:
        # Above what an empty Redis and its connections take: the parts are what fills it.
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 16 * MIB)
        with pytest.raises(StoreFull, match="memory limit"):
            _fill(broker)
        # Below what is there now: nothing that a test does brings it back under the limit.
        client.config_set("maxmemory", 1)
    return broker


@pytest.mark.needs_redis
def test_a_refused_part_changes_nothing(full, small):
    """When Redis itself has no room, the counter still is the sum of what lies there."""
    with small.client() as client:
        lying = sum(map(len, client.hvals(f"farm:segment:{NAME}")))
    assert full.segments.used_bytes() == lying == full.segments.num_parts(NAME) * MIB > 0


@pytest.mark.needs_redis
def test_a_full_redis_can_be_emptied(full):
    """Dropping and deleting work at the limit: that is how the farm gets away from it."""
    before = full.segments.used_bytes()
    full.segments.drop_part(NAME, 0)
    assert full.segments.used_bytes() == full.segments.recount() == before - MIB
    full.segments.delete(NAME)
    assert full.segments.used_bytes() == 0


@pytest.mark.needs_redis
def test_a_full_redis_stops_no_work_that_is_under_way(full):
    """Offers, leases, results, locks and heartbeats are small, and what they lead to frees memory."""
    full.leases.offer("job", 0, 1)
    full.leases.put_source_checked(SourceChecked(job_id="job"))
    lease = full.leases.claim("job", 0, 1, "w")
    full.leases.renew(lease, num_frames=1, stage="fuse")
    full.leases.commit(lease, RENDERED)
    full.heartbeats.beat(BEAT)
    assert full.leases.lock_job("job", "me", 60.0)
    assert full.leases.results("job") == {0: RENDERED}
    assert full.heartbeats.live() == [BEAT]


@pytest.mark.needs_redis
def test_recount_repairs_what_a_crash_left(redis_server):
    """A counter and names that were lost, or made up, are what lies there again."""
    redis_server.flush()
    broker = open_broker(BrokerConfig(redis_url=redis_server.url, namespace="f[a]rm"))
    broker.segments.append(NAME, 0, b"12345", limit_bytes=100)
    with redis_server.client() as client:
        client.set("f[a]rm:bytes", 77)
        client.delete("f[a]rm:segments:job")
        client.hset("farm:segment:another:0:in:1", "0", b"another farm's")
    assert broker.segments.recount() == broker.segments.used_bytes() == 5
    assert broker.segments.names("job") == [NAME]


@pytest.mark.needs_redis
def test_two_farms_share_a_redis(redis_server):
    """Namespaces keep segments, leases and workers apart."""
    redis_server.flush()
    one, other = (
        open_broker(BrokerConfig(redis_url=redis_server.url, namespace=name)) for name in ("a", "b")
    )
    one.segments.append(NAME, 0, b"x", limit_bytes=1)
    one.leases.offer("job", 0, 1)
    one.heartbeats.beat(BEAT)
    assert (other.segments.used_bytes(), other.segments.names("job")) == (0, [])
    assert (other.leases.offered("job"), other.heartbeats.live()) == ({}, [])


@pytest.mark.needs_redis
def test_no_segment_expires(redis_server):
    """The counter would not notice. Leases, locks and heartbeats do expire."""
    redis_server.flush()
    broker = open_broker(BrokerConfig(redis_url=redis_server.url))
    broker.segments.append(NAME, 0, b"x", limit_bytes=1)
    broker.leases.offer("job", 0, 1)
    broker.leases.claim("job", 0, 1, "w")
    broker.leases.lock_job("job", "me", 60.0)
    broker.heartbeats.beat(BEAT)
    with redis_server.client() as client:
        mortal = {key.decode(): client.pttl(key) for key in client.keys("*") if client.pttl(key) != -1}
    longest_ms = {"farm:lease:job:0": 12_000, "farm:advancing:job": 60_000, "farm:worker:w": 6_000}
    assert mortal.keys() == longest_ms.keys()
    assert all(longest_ms[key] - 5_000 < mortal[key] <= longest_ms[key] for key in mortal)


@pytest.mark.needs_redis
def test_a_job_that_is_cleaned_up_leaves_no_key(redis_server):
    """Not a single one, or a farm that runs for years would fill its Redis."""
    redis_server.flush()
    broker = open_broker(BrokerConfig(redis_url=redis_server.url))
    for index in range(3):
        broker.segments.append(dataclasses.replace(NAME, index=index), 0, b"x", limit_bytes=3)
        broker.leases.offer("job", index, 1)
    broker.leases.commit(broker.leases.claim("job", 0, 1, "w"), RENDERED)
    broker.leases.claim("job", 1, 1, "w")
    broker.leases.put_source_checked(SourceChecked(job_id="job"))
    broker.leases.lock_job("job", "me", 60.0)
    broker.leases.forget_job("job")
    for name in broker.segments.names("job"):
        broker.segments.delete(name)
    broker.leases.unlock_job("job", "me")
    with redis_server.client() as client:
        assert client.keys("*") == [b"farm:bytes"]


@pytest.mark.needs_redis
def test_a_redis_that_refuses_says_why(redis_server):
    """What is neither absence nor lack of room keeps Redis's own words."""
    redis_server.flush()
    with redis_server.client() as client:
        client.set("farm:offers:job", "not a hash")
    with pytest.raises(BrokerError, match="WRONGTYPE") as caught:
        open_broker(BrokerConfig(redis_url=redis_server.url)).leases.offered("job")
    assert type(caught.value) is BrokerError


@pytest.mark.needs_redis
def test_a_redis_that_dies_is_unreachable_until_it_is_back():
    """Every kind of call says so; the same broker works again with the next Redis at that place."""
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory) / "redis.sock"
        broker = open_broker(BrokerConfig(redis_url=f"unix://{socket}"))
        with running_redis(socket=socket):
            broker.leases.offer("job", 0, 1)
        for call in (
            broker.segments.used_bytes,
            lambda: broker.segments.append(NAME, 0, b"x", limit_bytes=1),
            lambda: broker.leases.claim("job", 0, 1, "w"),
            lambda: broker.leases.withdraw("job", 0),
            broker.heartbeats.live,
        ):
            with pytest.raises(BrokerUnreachable):
                call()
        with running_redis(socket=socket):
            assert broker.leases.offered("job") == {}
            broker.leases.offer("job", 0, 2)
            assert broker.leases.claim("job", 0, 2, "w").attempt == 2


def test_nobody_there_is_noticed_in_time(tmp_path):
    """`wait_until_up` gives up when its time has passed on the clock it was given."""
    config = BrokerConfig(redis_url=f"unix://{tmp_path}/nobody.sock")
    clock = FakeClock()
    with pytest.raises(BrokerUnreachable):
        wait_until_up(config, clock, timeout_s=0.5)
    assert 0.5 <= clock.now_s() - FakeClock().now_s() < 1.0
    with pytest.raises(BrokerUnreachable):
        ping(config)


@pytest.mark.needs_redis
def test_somebody_there_is_found(redis_url):
    """`wait_until_up` returns without any pause when Redis answers."""
    clock = FakeClock()
    wait_until_up(BrokerConfig(redis_url=redis_url), clock, timeout_s=0.0)
    assert clock.now_s() == FakeClock().now_s()


@pytest.mark.needs_redis
def test_scripts_survive_a_forgetful_redis(redis_server):
    """A restarted Redis knows no scripts; they are sent again."""
    redis_server.flush()
    broker = open_broker(BrokerConfig(redis_url=redis_server.url))
    broker.segments.append(NAME, 0, b"x", limit_bytes=2)
    with redis_server.client() as client:
        client.script_flush()
    broker.segments.append(NAME, 1, b"x", limit_bytes=2)
    assert broker.segments.used_bytes() == 2


def _fill(broker: Broker) -> None:
    for number in range(64):
        broker.segments.append(NAME, number, os.urandom(MIB), limit_bytes=2**40)
