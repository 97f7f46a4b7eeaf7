"""Holds workers in the middle of a chunk for as long as a test wants, on a machine of any speed.

What holds them is the farm's own back-pressure: the counter of stored bytes is raised until the window is
full, and whoever renders waits before the next part of its output. Nothing else is offered meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from broker.keys import Keys
from broker.queues import RENDER
from broker.segments import RedisSegmentStore

KEYS = Keys("farm")
RENDER_QUEUE = f"{KEYS.celery_prefix}{RENDER}"

#: More than any window.
FILLING_BYTES = 2**50


@dataclass(frozen=True)
class Gate:
    """A full window, while it is closed. `redis` opens a client."""

    redis: Callable[[], Redis]

    def close(self) -> None:
        """Let no worker put another part."""
        with self.redis() as redis:
            redis.incrby(KEYS.bytes, FILLING_BYTES)

    def open(self) -> None:
        """Let them go on. Does nothing if it is open: what lies there is counted anew."""
        with self.redis() as redis:
            RedisSegmentStore(redis, KEYS).recount()

    def num_queued(self) -> int:
        """Return how many messages wait for a worker."""
        with self.redis() as redis:
            return redis.llen(RENDER_QUEUE)
