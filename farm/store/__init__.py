"""The job store: the truth about every job, and the only package that opens a session.

A state changes by compare-and-set, along the tables of `farm.states`, with an event row in the same
transaction; whoever loses the race is told so by `StaleTransition` (jobs) or `False` (chunks).
"""

from __future__ import annotations

from farm.store.blocks import BlockRows
from farm.store.chunks import ChunkRows
from farm.store.counters import ChunkTotals
from farm.store.jobs import JobRows
from farm.store.queues import QueueRows

__all__ = ["ChunkTotals", "JobStore"]


class JobStore(JobRows, ChunkRows, QueueRows, BlockRows):
    """Jobs, chunks, events and blocks in SQL. Rows that it returns are detached: change them through it."""
