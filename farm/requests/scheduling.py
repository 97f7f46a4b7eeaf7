"""How a job is cut up, and when it has its turn."""

from __future__ import annotations

from pydantic import Field

from farm.requests.body import Body

#: Priorities reach this far either way: four days of waiting.
MOST_PRIORITY = 100


class PriorityRequest(Body):
    """A job's new priority."""

    priority: int = Field(ge=-MOST_PRIORITY, le=MOST_PRIORITY)


class SchedulingRequest(Body):
    """How a job is cut up, and when it has its turn."""

    chunk_seconds: float | None = Field(default=None, gt=0, le=600)
    """Length of a chunk; by default the farm's own."""
    chunk_pictures: int | None = Field(default=None, ge=1, le=1000)
    """Pictures of a folder in a chunk, at most; by default 8, or fewer, for all workers to have some."""
    priority: int = Field(default=0, ge=-MOST_PRIORITY, le=MOST_PRIORITY)
    """Higher goes first; a step outweighs an hour in the queue."""


class UnblockRequest(Body):
    """Which worker may have a job's chunks again."""

    worker: str = Field(min_length=1)
    """Its name, as the job's view gives it."""
