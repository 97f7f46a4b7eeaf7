"""The two state machines, as tables. A state changes only along them, by compare-and-set in the store."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is."""

    SUBMITTED = "submitted"
    """Accepted: the files were looked at, and the row written."""
    INDEXING = "indexing"
    """The input's packets are being listed, and a worker looks at the source."""
    LOOKING = "looking"
    """Chunks are looked through for people; who gets which source is decided then."""
    RENDERING = "rendering"
    """Chunks are offered, rendered and collected."""
    STITCHING = "stitching"
    """Every chunk lies in the spool; the output is being written and checked."""
    DONE = "done"
    """The output is in place."""
    PAUSED = "paused"
    """Held, by its user or by a full disk; what was rendered is kept, and Redis holds nothing of it."""
    FAILED = "failed"
    """The job cannot go on; the error says why. What was rendered is kept for a retry."""
    CANCELED = "canceled"
    """Somebody asked for it to stop."""


class ChunkState(StrEnum):
    """Where a chunk is."""

    PLANNED = "planned"
    """Waits to be cut: for the first time, or again after its offer was taken back."""
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


#: Jobs that have not ended. A paused one is among them: whoever follows it waits on.
LIVE_JOB_STATES = frozenset(
    {
        JobState.SUBMITTED,
        JobState.INDEXING,
        JobState.LOOKING,
        JobState.RENDERING,
        JobState.STITCHING,
        JobState.PAUSED,
    }
)
#: Jobs whose chunks workers may have.
CHUNKED_STATES = frozenset({JobState.LOOKING, JobState.RENDERING})
#: Where a paused or failed job may return to. Not INDEXING: its check must be asked for anew, which is what
#: leaving SUBMITTED does; the packets are not listed twice.
RETURN_STATES = CHUNKED_STATES | {JobState.SUBMITTED, JobState.STITCHING}

_STOPS = frozenset({JobState.PAUSED, JobState.FAILED, JobState.CANCELED})

JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.SUBMITTED: _STOPS | {JobState.INDEXING},
    JobState.INDEXING: _STOPS | CHUNKED_STATES,
    JobState.LOOKING: _STOPS | {JobState.RENDERING, JobState.STITCHING},
    JobState.RENDERING: _STOPS | {JobState.STITCHING},
    JobState.STITCHING: _STOPS | {JobState.DONE},
    JobState.DONE: frozenset(),
    JobState.PAUSED: RETURN_STATES | {JobState.CANCELED},
    JobState.FAILED: RETURN_STATES,
    JobState.CANCELED: frozenset(),
}

CHUNK_TRANSITIONS: dict[ChunkState, frozenset[ChunkState]] = {
    ChunkState.PLANNED: frozenset({ChunkState.OFFERED, ChunkState.CANCELED}),
    ChunkState.OFFERED: frozenset(
        {
            ChunkState.PLANNED,
            ChunkState.LEASED,
            ChunkState.RENDERED,
            ChunkState.SOFT_FAILED,
            ChunkState.FAILED,
            ChunkState.CANCELED,
        }
    ),
    ChunkState.LEASED: frozenset(
        {
            ChunkState.PLANNED,
            ChunkState.RENDERED,
            ChunkState.SOFT_FAILED,
            ChunkState.FAILED,
            ChunkState.CANCELED,
        }
    ),
    ChunkState.SOFT_FAILED: frozenset({ChunkState.PLANNED, ChunkState.OFFERED, ChunkState.CANCELED}),
    ChunkState.RENDERED: frozenset({ChunkState.CANCELED}),
    ChunkState.FAILED: frozenset({ChunkState.PLANNED, ChunkState.CANCELED}),
    ChunkState.CANCELED: frozenset(),
}

#: Chunks that a worker has, or may take at any moment.
IN_FLIGHT = frozenset({ChunkState.OFFERED, ChunkState.LEASED})
#: Chunks that wait to be offered.
WAITING = frozenset({ChunkState.PLANNED, ChunkState.SOFT_FAILED})


def return_state(state: JobState) -> JobState:
    """Return where a job that is stopped in `state` goes when it is taken up again."""
    return JobState.SUBMITTED if state == JobState.INDEXING else state
