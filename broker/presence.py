"""Whether Redis was away of late: leases then lapse for want of it, which says nothing of their holders."""

from __future__ import annotations

from typing import Protocol

from redis import Redis

from broker.clock import Clock
from broker.edge import renamed_errors

#: Redis counts as having been away after this share of a lease's term without an answer: who renews every
#: second or so keeps a lease through less.
AWAY_SHARE = 0.5

#: What lapsed in its absence is found within this many terms of its return: one in which a lease may still
#: run that was last renewed before, and half of one for the round that looks.
DOUBTFUL_TERMS = 1.5


class Presence(Protocol):
    """Knows whether Redis was away of late. Ask again and again: it learns of a gap by asking.

    Every method raises BrokerUnreachable when Redis is away now.
    """

    def was_away(self) -> bool:
        """Ask for a sign of life; say whether what has lapsed by now may have lapsed for want of Redis."""


class RedisPresence:
    """See `Presence`. Redis was away if it did not answer for long, or was started anew.

    Safe to share between threads: they all see the same Redis, and the last to write says when.
    """

    def __init__(self, redis: Redis, clock: Clock, *, lease_ttl_s: float) -> None:
        self._redis = redis
        self._clock = clock
        self._term_s = lease_ttl_s
        self._run = ""  # of the server that answered last; "" before the first answer
        self._answered_s = 0.0
        self._back_s = float("-inf")  # when it was last known to have been away; on the clock

    def was_away(self) -> bool:
        """See `Presence`."""
        with renamed_errors():
            said = self._redis.info("server")
        now_s = self._clock.now_s()
        if not self._run:
            self._back_s = now_s - float(said["uptime_in_seconds"])
        elif said["run_id"] != self._run or now_s - self._answered_s > AWAY_SHARE * self._term_s:
            self._back_s = now_s
        self._run, self._answered_s = said["run_id"], now_s
        return now_s - self._back_s < DOUBTFUL_TERMS * self._term_s


class MemoryPresence:
    """See `Presence`: for memory that a test says has been away."""

    def __init__(self, clock: Clock, *, lease_ttl_s: float) -> None:
        self._clock = clock
        self._term_s = lease_ttl_s
        self._back_s = float("-inf")

    def return_now(self) -> None:
        """Have been away until now."""
        self._back_s = self._clock.now_s()

    def was_away(self) -> bool:
        """See `Presence`."""
        return self._clock.now_s() - self._back_s < DOUBTFUL_TERMS * self._term_s
