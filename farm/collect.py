"""Take what the workers have finished: bytes to the spool, states to the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from broker.errors import SegmentCorrupt, SegmentMissing
from broker.messages import DEVICE_LOST, OTHER_BUILD, UNCOUNTED, ChunkFailed, ChunkRendered
from broker.segments import SegmentName
from farm import blocking
from farm.album.album import is_album
from farm.album.listing import named
from farm.bootstrap import Farm
from farm.errors import JobFailed, is_bad_input
from farm.media.info import MediaInfo
from farm.models import Chunk, Job
from farm.prepare import load_album
from farm.spool import Spool
from farm.states import IN_FLIGHT, ChunkState
from farm.store.chunks import LONGEST_PAUSE_S

log = logging.getLogger(__name__)

#: Pause before another attempt at a chunk, in seconds, doubled each time: a worker restarts in that.
RETRY_S = 1.0

#: Ranges of frames that an error names; `farm status` has the others.
MOST_RANGES = 10


def collect(farm: Farm, job: Job) -> None:
    """Take every result that lies in Redis, then the finished parts of chunks that still render.

    Raises:
        JobFailed: the job cannot be rendered at all, or too many of its chunks cannot.
        OSError: the spool cannot be written; what was not taken still lies in Redis.
    """
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


def take_back(farm: Farm, chunk: Chunk, reason: str) -> None:
    """Let a chunk in flight wait again, as if it had not been offered: nobody has failed."""
    farm.broker.leases.withdraw(chunk.job_id, chunk.index)
    farm.store.move_chunk(chunk, ChunkState.PLANNED, detail=reason)
    spool(farm, chunk.job_id).discard(chunk.index, chunk.attempt)
    free_segments(farm, chunk.job_id, chunk.index)


def soft_fail(
    farm: Farm, job: Job, chunk: Chunk, reason: str, *, counts: bool = True, worker: str | None = None
) -> None:
    """Let a chunk be tried again, or give it up when its attempts are spent.

    `worker` will not get the chunk again while there are others; if it `counts`, then against it, too.

    Raises:
        JobFailed: `counts`, and it was given up as one of too many.
    """
    log.warning("attempt failed", extra={"job": job.id, "chunk": chunk.index, "reason": reason})
    failures = chunk.failures + counts
    if counts and worker is not None:
        blocking.note_failure(farm, job.id, worker, chunk.index, reason)
    if counts and failures >= farm.config.max_attempts:
        _give_up(farm, job, chunk, reason)
        return
    pause_s = min(LONGEST_PAUSE_S, RETRY_S * 2 ** (failures - 1)) if counts else 0.0
    farm.store.move_chunk(
        chunk,
        ChunkState.SOFT_FAILED,
        detail=reason,
        error=reason,
        failures=failures,
        not_before=farm.wall() + pause_s,
        failed_on=sorted({*(chunk.failed_on or ()), *([worker] if worker else ())}),
    )
    spool(farm, job.id).discard(chunk.index, chunk.attempt)
    free_segments(farm, job.id, chunk.index)


def failed_chunks(farm: Farm, job_id: str) -> JobFailed:
    """Return the error of a job of which chunks were given up; it names the frames, or the pictures."""
    failed = farm.store.chunks(job_id, {ChunkState.FAILED})
    ranges = _joined((chunk.start, chunk.end) for chunk in failed)
    if is_album(MediaInfo.from_json(farm.store.job(job_id).media)):
        entries = load_album(farm, job_id).entries
        labels = [entry.picture.label for start, end in ranges for entry in entries[start:end]]
        noun, shown = "pictures", named(labels)
    else:
        more = f" and {len(ranges) - MOST_RANGES} more ranges" if len(ranges) > MOST_RANGES else ""
        noun = "frames"
        shown = ", ".join(f"[{start}, {end})" for start, end in ranges[:MOST_RANGES]) + more
    first = failed[0]
    return JobFailed(
        f"{noun} {shown} failed after {first.failures} attempts each: {first.error}",
        code="chunk-failed",
        hint=f"what was rendered is kept: `farm retry {job_id}` tries only these {noun} again",
    )


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return half-open ranges in order, those that touch made one."""
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]  # noqa: PLW2901 - the range grows
        joined.append((start, end))
    return joined


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
        output_bytes=result.num_bytes,
    )
    free_segments(farm, job.id, chunk.index)
    if job.first_frame_at is None or result.first_frame_at < job.first_frame_at:
        farm.store.update_job(job.id, first_frame_at=result.first_frame_at)
        job.first_frame_at = result.first_frame_at
    for note in result.notes:
        farm.store.add_note(job.id, note)


def _take_failure(farm: Farm, job: Job, chunk: Chunk, result: ChunkFailed) -> None:
    if is_bad_input(result.code):
        # Every other chunk would say the same of the user's portrait or request.
        farm.store.move_chunk(chunk, ChunkState.FAILED, detail=result.message, error=result.message)
        raise JobFailed(result.message, code=result.code, hint="the worker's log has more")
    reason = f"{result.code}: {result.message} (worker {result.worker})"
    if result.code == OTHER_BUILD:
        blocking.block(farm, job.id, result.worker, code=result.code, reason=result.message)
    if result.code == DEVICE_LOST:
        farm.store.add_note(job.id, f"worker {result.worker} left the farm: {reason.splitlines()[0]}")
    if result.code in UNCOUNTED:
        soft_fail(farm, job, chunk, reason, counts=False)
        return
    counts = result.code != DEVICE_LOST or bool(chunk.failed_on)
    soft_fail(farm, job, chunk, reason, counts=counts, worker=result.worker)


def _give_up(farm: Farm, job: Job, chunk: Chunk, reason: str) -> None:
    failures = chunk.failures + 1
    farm.store.move_chunk(chunk, ChunkState.FAILED, detail=reason, error=reason, failures=failures)
    spool(farm, job.id).discard(chunk.index, chunk.attempt)
    free_segments(farm, job.id, chunk.index)
    if farm.store.job(job.id).num_failed >= farm.config.max_failed_chunks:
        raise failed_chunks(farm, job.id)


def _relieve(farm: Farm, job: Job, chunk: Chunk) -> None:
    """Take finished parts of a chunk that still renders, so that its output may exceed the window."""
    name = output_name(job.id, chunk.index, chunk.attempt)
    if farm.broker.segments.num_parts(name) > 0:
        spool(farm, job.id).drain_available(farm.broker.segments, name)
