"""Which worker an offer is for: whoever is free first, unless some may not have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from broker.heartbeats import WorkerBeat
from farm.bootstrap import Farm
from farm.models import Chunk

#: Who is asked first among equals: nearest to taking a chunk.
_READINESS = {"ready": 0, "busy": 1, "warming": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The workers that a job's chunks may go to, as of now."""

    live: tuple[WorkerBeat, ...]  # but for those that are leaving
    blocked: frozenset[str]
    load: Counter[str]  # chunks of the job that were sent to a worker, by its name

    @classmethod
    def of(cls, farm: Farm, job_id: str, in_flight: Iterable[Chunk]) -> Self:
        """Look at who lives, who is blocked, and what was sent to whom."""
        live = tuple(beat for beat in farm.broker.heartbeats.live() if beat.state != "leaving")
        blocked = frozenset(row.worker for row in farm.store.blocks([job_id]))
        return cls(
            live=live, blocked=blocked, load=Counter(chunk.worker for chunk in in_flight if chunk.worker)
        )

    @property
    def num_allowed(self) -> int:
        """Return how many live workers may have the job's chunks."""
        return len(self.allowed())

    @property
    def is_stranded(self) -> bool:
        """Say whether workers live, and all of them are blocked."""
        return bool(self.live) and not self.allowed()

    def allowed(self) -> frozenset[str]:
        """Return the names of the live workers that are not blocked."""
        return frozenset(beat.worker for beat in self.live) - self.blocked

    def pick(self, chunk: Chunk) -> str | None:
        """Return the worker to send a chunk to; None: the queue that all share.

        A chunk that has failed goes to workers that it has not failed on, while there are any.
        """
        allowed = self.allowed()
        fresh = allowed - frozenset(chunk.failed_on or ()) or allowed
        if not fresh or len(fresh) == len(self.live):
            return None
        beats = [beat for beat in self.live if beat.worker in fresh]
        first = min(beats, key=lambda beat: (self.load[beat.worker], _READINESS[beat.state], beat.worker))
        self.load[first.worker] += 1
        return first.worker
