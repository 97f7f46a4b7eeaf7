"""The two state machines, as tables. A state changes only along them, by compare-and-set in the store."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is."""

    SUBMITTED = "submitted"
    """Accepted: the files were looked at, and the row written."""
    INDEXING = "indexing"
    """The input's packets are being listed, and a worker looks at the source."""
    RENDERING = "rendering"
    """Chunks are offered, rendered and collected."""
    STITCHING = "stitching"
    """Every chunk lies in the spool; the output is being written and checked."""
    DONE = "done"
    """The output is in place."""
    FAILED = "failed"
    """The job cannot go on; the error says why."""
    CANCELED = "canceled"
    """Somebody asked for it to stop."""


class ChunkState(StrEnum):
    """Where a chunk is."""

    PLANNED = "planned"
    """Not cut yet."""
    OFFERED = "offered"
    """Cut into Redis and offered to the workers, with an attempt number."""
    LEASED = "leased"
    """A worker holds it."""
    RENDERED = "rendered"
    """Its output segment lies in the spool."""
    SOFT_FAILED = "soft-failed"
    """An attempt failed; another will be made."""
    FAILED = "failed"
    """Its attempts are spent."""
    CANCELED = "canceled"
    """Its job was canceled."""


JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.SUBMITTED: frozenset({JobState.INDEXING, JobState.FAILED, JobState.CANCELED}),
    JobState.INDEXING: frozenset({JobState.RENDERING, JobState.FAILED, JobState.CANCELED}),
    JobState.RENDERING: frozenset({JobState.STITCHING, JobState.FAILED, JobState.CANCELED}),
    JobState.STITCHING: frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
}

CHUNK_TRANSITIONS: dict[ChunkState, frozenset[ChunkState]] = {
    ChunkState.PLANNED: frozenset({ChunkState.OFFERED, ChunkState.CANCELED}),
    ChunkState.OFFERED: frozenset(
        {
            ChunkState.LEASED,
            ChunkState.RENDERED,
            ChunkState.SOFT_FAILED,
            ChunkState.FAILED,
            ChunkState.CANCELED,
        }
    ),
    ChunkState.LEASED: frozenset(
        {ChunkState.RENDERED, ChunkState.SOFT_FAILED, ChunkState.FAILED, ChunkState.CANCELED}
    ),
    ChunkState.SOFT_FAILED: frozenset({ChunkState.OFFERED, ChunkState.CANCELED}),
    ChunkState.RENDERED: frozenset({ChunkState.CANCELED}),
    ChunkState.FAILED: frozenset({ChunkState.CANCELED}),
    ChunkState.CANCELED: frozenset(),
}

#: Jobs that the reconciler still moves.
LIVE_JOB_STATES = frozenset({JobState.SUBMITTED, JobState.INDEXING, JobState.RENDERING, JobState.STITCHING})
#: Chunks that a worker has, or may take at any moment.
IN_FLIGHT = frozenset({ChunkState.OFFERED, ChunkState.LEASED})
#: Chunks that wait to be offered.
WAITING = frozenset({ChunkState.PLANNED, ChunkState.SOFT_FAILED})
