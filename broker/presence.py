"""Whether Redis was away of late, or its clock was set.

Leases then lapse for want of it, which says nothing of their holders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from redis import Redis

from broker.clock import Clock
from broker.edge import renamed_errors

#: Redis counts as having been away after this share of a lease's term without an answer: who renews every
#: second or so keeps a lease through less.
AWAY_SHARE = 0.5

#: Its clock counts as having been set if, between two answers, it went by this share of a term more or less
#: than ours: a holder that renews every second or so keeps its lease through less.
SET_SHARE = 0.5

#: What lapsed in its absence is found within this many terms of its return: one in which a lease may still
#: run that was last renewed before, and half of one for the round that looks.
DOUBTFUL_TERMS = 1.5


class Presence(Protocol):
    """Knows whether Redis was away of late, or its clock was set.

    Ask again and again: it learns of either by asking.

    Every method raises BrokerUnreachable when Redis is away now.
    """

    def was_away(self) -> bool:
        """Ask for a sign of life; say whether what has lapsed by now may have lapsed for want of Redis."""


class RedisPresence:
    """See `Presence`. Redis was away if it did not answer for long, or was started anew.

    A clock that was set forward ends every lease at once, as if it had been away.

    Safe to share between threads: they all see the same Redis, and the last to write says when.
    """

    def __init__(self, redis: Redis, clock: Clock, *, lease_ttl_s: float) -> None:
        self._redis = redis
        self._clock = clock
        self._term_s = lease_ttl_s
        self._last: _Answer | None = None
        self._back_s = float("-inf")  # when it was last known to have been away; on the clock

    def was_away(self) -> bool:
        """See `Presence`."""
        answer, last = self._ask(), self._last
        if last is None:
            self._back_s = answer.came_s - answer.uptime_s
        elif answer.run != last.run or self._has_gap(last, answer):
            self._back_s = answer.came_s
        self._last = answer
        return answer.came_s - self._back_s < DOUBTFUL_TERMS * self._term_s

    def _ask(self) -> _Answer:
        asked_s = self._clock.now_s()
        with renamed_errors(), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.info("server")
            pipeline.time()
            said, (seconds, microseconds) = pipeline.execute()
        return _Answer(
            run=said["run_id"],
            # Below 0: Redis counts it by its wall clock, and that was set back since it was started.
            uptime_s=max(0.0, float(said["uptime_in_seconds"])),
            redis_s=seconds + microseconds / 1e6,
            asked_s=asked_s,
            came_s=self._clock.now_s(),
        )

    def _has_gap(self, last: _Answer, answer: _Answer) -> bool:
        """Say whether Redis was silent for long between two answers, or its clock was set."""
        went_s = answer.redis_s - last.redis_s
        # Each answer's time was read somewhere between the question and its coming.
        set_by_s = max(went_s - (answer.came_s - last.asked_s), answer.asked_s - last.came_s - went_s)
        is_silent = answer.came_s - last.came_s > AWAY_SHARE * self._term_s
        return is_silent or set_by_s > SET_SHARE * self._term_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a server said of itself, in seconds; when it was asked and answered is by our monotonic clock."""

    run: str  # changes with every start
    uptime_s: float
    redis_s: float  # its wall clock
    asked_s: float
    came_s: float


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
