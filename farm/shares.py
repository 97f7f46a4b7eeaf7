"""How the workers' slots are divided among jobs: pure, from where each stands to how many offers it may have.

1. Whoever has a chunk out keeps one: the last offer of a job is never taken back.
2. A job that has had nothing for `STARVED_S` gets one slot, whatever its priority: nobody starves.
3. The rest goes to the highest priority first, and within one priority evenly; what it cannot use goes to
   the next. In each priority the first arrival that has had nothing yet is served first, with a whole
   worker's slots, from the moment its chunks are planned: the worker that looks at its portrait goes on with
   its first chunk, so a short job behind a long one waits for one chunk, and not for the queue.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Chunks offered per live worker: one that it renders, one that is ready when it ends.
OFFERS_PER_WORKER = 2

#: After this many seconds without an offer, priorities no longer hold a job back for one chunk.
STARVED_S = 60.0

#: For so long after it began, a job that has had nothing is served first, in seconds. Not for ever: nobody
#: may ever answer for its portrait, and the others would wait with it.
NEWCOMER_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands. Times are Unix seconds; one far ahead is of before the clock was set back."""

    job_id: str
    priority: int
    admitted_at: float
    last_offer_at: float | None  # None: it has had nothing yet
    num_in_flight: int
    num_waiting: int
    is_rendering: bool  # False: its portrait is still looked at

    @property
    def demand(self) -> int:
        """Return how many slots it can use."""
        return self.num_in_flight + self.num_waiting if self.is_rendering else 0

    def is_starved(self, now: float) -> bool:
        """Say whether it has waited so long that priorities no longer count."""
        asks = self.is_rendering and self.num_waiting > 0 and self.num_in_flight == 0
        return asks and self.last_offer_at is not None and abs(now - self.last_offer_at) > STARVED_S

    def is_newcomer(self, now: float) -> bool:
        """Say whether it has had nothing yet, and has not been at it for long."""
        return self.last_offer_at is None and abs(now - self.admitted_at) < NEWCOMER_S


def divide(standings: Sequence[Standing], num_slots: int, now: float) -> dict[str, int]:
    """Return how many chunks each job may have out, by its id; above `num_slots` only where 1. says so."""
    shares = {each.job_id: min(1, each.num_in_flight) for each in standings}
    left = num_slots - sum(shares.values())
    for starved in sorted((each for each in standings if each.is_starved(now)), key=_turn):
        if left > 0:
            shares[starved.job_id] += 1
            left -= 1
    for priority in sorted({each.priority for each in standings}, reverse=True):
        group = [each for each in standings if each.priority == priority]
        left -= _serve_newcomer(group, shares, left, now)
        left -= _fill(group, shares, left)
    return shares


def _serve_newcomer(group: Iterable[Standing], shares: dict[str, int], left: int, now: float) -> int:
    """Reserve slots for the first newcomer of a priority; return how many."""
    newcomers = sorted((each for each in group if each.is_newcomer(now)), key=lambda each: each.admitted_at)
    if not newcomers:
        return 0
    first = newcomers[0]
    wanted = min(OFFERS_PER_WORKER, first.demand) if first.is_rendering else OFFERS_PER_WORKER
    taken = max(0, min(left, wanted - shares[first.job_id]))
    shares[first.job_id] += taken
    return taken


def _fill(group: Iterable[Standing], shares: dict[str, int], left: int) -> int:
    """Give what is left to jobs of one priority, slot by slot, to whoever has least; return how much."""
    # At the same level, whoever has chunks out keeps them: shares must not go round while nothing ends.
    heap = [
        (shares[each.job_id], each.num_in_flight <= shares[each.job_id], _turn(each), each) for each in group
    ]
    heap = [entry for entry in heap if entry[0] < entry[3].demand]
    heapq.heapify(heap)
    taken = 0
    while heap and taken < left:
        level, _, turn, each = heapq.heappop(heap)
        shares[each.job_id] = level + 1
        taken += 1
        if level + 1 < each.demand:
            heapq.heappush(heap, (level + 1, each.num_in_flight <= level + 1, turn, each))
    return taken


def _turn(standing: Standing) -> tuple[float, float, str]:
    """Order jobs by who has waited longest for its last offer."""
    return standing.last_offer_at or 0.0, standing.admitted_at, standing.job_id
