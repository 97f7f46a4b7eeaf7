"""Opens the way to Redis, and all that lies behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from broker.clock import Clock, SystemClock
from broker.config import BrokerConfig
from broker.edge import renamed_errors
from broker.errors import BrokerUnreachable
from broker.heartbeats import Heartbeats, RedisHeartbeats
from broker.keys import Keys
from broker.leases import LeaseTable
from broker.memory import MemoryHeartbeats, MemorySegmentStore
from broker.memory_leases import MemoryLeaseTable
from broker.presence import MemoryPresence, Presence, RedisPresence
from broker.redis_leases import RedisLeaseTable
from broker.segments import RedisSegmentStore, SegmentStore

#: Seconds of silence after which a connection is tried before it is used: a router may have dropped it.
HEALTH_CHECK_S = 25

#: Tries after the first, and the pauses between them in seconds. Together they bridge a hiccup; a Redis that
#: restarts is for the caller to wait for, who knows what else there is to do.
_RETRIES = 2
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5

#: Seconds between two looks at a Redis that is not up yet.
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """What farm and workers share."""

    config: BrokerConfig
    segments: SegmentStore
    leases: LeaseTable
    heartbeats: Heartbeats
    presence: Presence


def connect(config: BrokerConfig) -> Redis:
    """Return a client; it connects at the first use, and is safe to share between threads.

    Every command may be sent again after a lost connection: the stores' commands bear that.
    """
    options: dict[str, Any] = {
        "decode_responses": False,
        "socket_timeout": config.socket_timeout_s,
        "socket_connect_timeout": config.socket_timeout_s,
        "health_check_interval": HEALTH_CHECK_S,
        "retry": Retry(ExponentialWithJitterBackoff(base=_FIRST_PAUSE_S, cap=_LONGEST_PAUSE_S), _RETRIES),
    }
    if not config.redis_url.startswith("unix://"):
        options["socket_keepalive"] = True
    return Redis.from_url(config.redis_url, **options)


def ping(config: BrokerConfig) -> None:
    """Ask Redis for a sign of life.

    Raises:
        BrokerUnreachable: there is none.
    """
    with connect(config) as redis, renamed_errors():
        redis.ping()


def wait_until_up(config: BrokerConfig, clock: Clock, timeout_s: float) -> None:
    """Return as soon as Redis answers.

    Raises:
        BrokerUnreachable: it has not for `timeout_s` seconds.
    """
    ends_s = clock.now_s() + timeout_s
    while True:
        try:
            ping(config)
        except BrokerUnreachable:
            if clock.now_s() >= ends_s:
                raise
            clock.sleep(_POLL_S)
        else:
            return


def open_broker(config: BrokerConfig) -> Broker:
    """Return the stores in Redis. Does not wait for it: what needs it raises BrokerUnreachable."""
    redis = connect(config)
    keys = Keys(config.namespace)
    return Broker(
        config=config,
        segments=RedisSegmentStore(redis, keys),
        leases=RedisLeaseTable(redis, keys, lease_ttl_s=config.lease_ttl_s),
        heartbeats=RedisHeartbeats(redis, keys, heartbeat_s=config.heartbeat_s),
        presence=RedisPresence(redis, SystemClock(), lease_ttl_s=config.lease_ttl_s),
    )


def memory_broker(config: BrokerConfig, clock: Clock) -> Broker:
    """Return stores in this process's memory, whose terms run on `clock`."""
    return Broker(
        config=config,
        segments=MemorySegmentStore(),
        leases=MemoryLeaseTable(clock, lease_ttl_s=config.lease_ttl_s),
        heartbeats=MemoryHeartbeats(clock, heartbeat_s=config.heartbeat_s),
        presence=MemoryPresence(clock, lease_ttl_s=config.lease_ttl_s),
    )
