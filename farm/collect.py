"""Take what the workers have finished: bytes to the spool, states to the store."""

from __future__ import annotations

import logging

from broker.errors import SegmentCorrupt, SegmentMissing
from broker.messages import ChunkFailed, ChunkRendered
from broker.segments import SegmentName
from farm.bootstrap import Farm
from farm.errors import JobFailed
from farm.models import Chunk, Job
from farm.spool import Spool
from farm.states import IN_FLIGHT, ChunkState

log = logging.getLogger(__name__)

#: Pause before another attempt at a chunk, in seconds, doubled each time: a worker restarts in that.
RETRY_S = 1.0


def collect(farm: Farm, job: Job) -> None:
    """Take every result that lies in Redis, then the finished parts of chunks that still render."""
    results = farm.broker.leases.results(job.id)
    for chunk in farm.store.chunks(job.id, IN_FLIGHT):
        result = results.get(chunk.index)
        if result is None or result.attempt != chunk.attempt:
            _relieve(farm, job, chunk)
        elif isinstance(result, ChunkRendered):
            _take(farm, job, chunk, result)
        else:
            _take_failure(farm, job, chunk, result)


def spool(farm: Farm, job_id: str) -> Spool:
    """Return the job's spool."""
    return Spool(farm.config.job_directory(job_id) / "spool")


def output_name(job_id: str, index: int, attempt: int) -> SegmentName:
    """Return where an attempt's output segment lies."""
    return SegmentName(job_id=job_id, index=index, kind="out", attempt=attempt)


def free_segments(farm: Farm, job_id: str, index: int) -> None:
    """Free what a chunk holds in Redis: segments of every attempt, offer, lease, result."""
    for name in farm.broker.segments.names(job_id):
        if name.index == index and name.kind != "source":
            farm.broker.segments.delete(name)
    farm.broker.leases.forget(job_id, index)


def soft_fail(farm: Farm, job: Job, chunk: Chunk, reason: str, *, counts: bool = True) -> None:
    """Let a chunk be tried again, or fail the job when its attempts are spent.

    Raises:
        JobFailed: `counts` and this was the last attempt.
    """
    log.warning("attempt failed", extra={"job": job.id, "chunk": chunk.index, "reason": reason})
    failures = chunk.failures + counts
    if counts and failures >= farm.config.max_attempts:
        _give_up(farm, chunk, reason, code="chunk-failed")
    pause_s = RETRY_S * 2 ** (failures - 1) if counts else 0.0
    farm.store.move_chunk(
        chunk,
        ChunkState.SOFT_FAILED,
        detail=reason,
        error=reason,
        failures=failures,
        not_before=farm.wall() + pause_s,
    )
    spool(farm, job.id).discard(chunk.index, chunk.attempt)
    free_segments(farm, job.id, chunk.index)


def _take(farm: Farm, job: Job, chunk: Chunk, result: ChunkRendered) -> None:
    name = output_name(job.id, chunk.index, chunk.attempt)
    place = spool(farm, job.id)
    try:
        place.drain(farm.broker.segments, name, result.num_parts)
        place.check(chunk.index, chunk.attempt, num_parts=result.num_parts, sha256=result.sha256)
    except (SegmentMissing, SegmentCorrupt) as error:
        soft_fail(farm, job, chunk, str(error))
        return
    farm.store.move_chunk(
        chunk,
        ChunkState.RENDERED,
        worker=result.worker,
        num_fused=result.num_fused,
        render_s=result.render_s,
        error=None,
    )
    free_segments(farm, job.id, chunk.index)
    if job.first_frame_at is None or result.first_frame_at < job.first_frame_at:
        farm.store.update_job(job.id, first_frame_at=result.first_frame_at)
        job.first_frame_at = result.first_frame_at
    for note in result.notes:
        farm.store.add_note(job.id, note)


def _take_failure(farm: Farm, job: Job, chunk: Chunk, result: ChunkFailed) -> None:
    if result.is_final:
        _give_up(farm, chunk, result.message, code=result.code)
    soft_fail(farm, job, chunk, f"{result.code}: {result.message} (worker {result.worker})")


def _give_up(farm: Farm, chunk: Chunk, reason: str, *, code: str) -> None:
    farm.store.move_chunk(chunk, ChunkState.FAILED, detail=reason, error=reason)
    raise JobFailed(
        f"frames [{chunk.start}, {chunk.end}) failed after {chunk.attempt} attempts: {reason}",
        code=code,
        hint="the worker's log has more",
    )


def _relieve(farm: Farm, job: Job, chunk: Chunk) -> None:
    """Take finished parts of a chunk that still renders, so that its output may exceed the window."""
    name = output_name(job.id, chunk.index, chunk.attempt)
    if farm.broker.segments.num_parts(name) > 0:
        spool(farm, job.id).drain_available(farm.broker.segments, name)
