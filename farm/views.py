"""Rows, leases and heartbeats, put together as users see them."""

from __future__ import annotations

import importlib.metadata
import time

from sqlalchemy.exc import SQLAlchemyError

from broker.errors import BrokerError
from broker.heartbeats import WorkerBeat
from broker.messages import ChunkRendered
from farm.bootstrap import Farm
from farm.estimate import eta_error_s
from farm.models import Chunk, Job
from farm.schemas import (
    ChunkView,
    ErrorView,
    FailedChunk,
    FarmView,
    JobView,
    PauseView,
    RunningChunk,
    WorkerView,
)
from farm.states import ChunkState, JobState
from farm.store import ChunkTotals

#: Chunks that were given up, shown of a job; the others are in its list of chunks.
MOST_FAILED = 20

#: What a job that only waits for others does, in words; and the states in which it may.
QUEUED, UNBEGUN = "queued", frozenset({JobState.SUBMITTED, JobState.INDEXING, JobState.RENDERING})

#: A job whose clock runs this much faster than its rendering shares the farm, or has slept with it.
IDLE_FACTOR = 2.0


def job_view(farm: Farm, job_id: str) -> JobView:
    """Return a job as it is now.

    Raises:
        JobNotFound: there is none of that id.
    """
    return _job_view(farm, farm.store.job(job_id))


def job_views(farm: Farm, limit: int) -> list[JobView]:
    """Return the newest jobs, newest first, at most `limit`."""
    return [_job_view(farm, job) for job in farm.store.jobs(limit)]


def chunk_views(farm: Farm, job_id: str) -> list[ChunkView]:
    """Return a job's chunks, in order.

    Raises:
        JobNotFound: there is none of that id.
    """
    farm.store.job(job_id)
    return [ChunkView.model_validate(chunk, from_attributes=True) for chunk in farm.store.all_chunks(job_id)]


def worker_views(farm: Farm) -> list[WorkerView]:
    """Return the workers that live.

    Raises:
        BrokerUnreachable: Redis does not answer.
    """
    return [
        _worker_view(beat) for beat in sorted(farm.broker.heartbeats.live(), key=lambda beat: beat.worker)
    ]


def farm_view(farm: Farm) -> FarmView:
    """Return the farm's health; it says what is wrong, and does not raise."""
    redis, workers, used_bytes = "ok", 0, 0
    try:
        workers, used_bytes = len(farm.broker.heartbeats.live()), farm.broker.segments.used_bytes()
    except BrokerError as error:
        redis = str(error)
    database = "ok"
    try:
        farm.store.ping()
    except SQLAlchemyError as error:
        database = str(error).splitlines()[0]
    return FarmView(
        version=importlib.metadata.version("face-fusion-farm"),
        database=database,
        redis=redis,
        workers=workers,
        window_bytes=farm.broker.config.window_bytes,
        window_used_bytes=used_bytes,
    )


def _job_view(farm: Farm, job: Job) -> JobView:
    totals = ChunkTotals.of(job)
    running: list[RunningChunk] = []
    num_committed, trouble = 0, ""
    if job.state == JobState.RENDERING:
        try:
            running, num_committed = _in_flight(farm, job.id)
        except BrokerError as error:
            trouble = f" ({error})"
    frames_done = totals.frames_rendered + num_committed + sum(chunk.num_frames for chunk in running)
    frames_done = min(frames_done, job.num_frames)
    fps = _fps(job, frames_done, len(running))
    eta_s = _eta_s(job, frames_done, fps)
    return JobView(
        job=job.id,
        state=JobState(job.state),
        input=job.input_path,
        output=job.output_path,
        engine=job.engine,
        created_at=job.created_at,
        seconds=(job.finished_at or time.time()) - job.created_at,
        stage=(QUEUED if _is_queued(farm, job, frames_done, running) else job.stage) + trouble,
        frames=job.num_frames,
        frames_done=frames_done,
        fps=fps,
        eta_s=eta_s,
        eta_error_s=None if eta_s is None else eta_error_s(job, eta_s),
        first_frame_s=None if job.first_frame_at is None else job.first_frame_at - job.created_at,
        notes=list(job.notes),
        running=running,
        error=_error(job),
        priority=job.priority,
        pause=_pause(job),
        chunks_failed=job.num_failed,
        failed=_failed(farm, job),
        can_retry=job.state == JobState.FAILED and job.came_from is not None,
        **_sums(totals),
    )


def _pause(job: Job) -> PauseView | None:
    if job.state != JobState.PAUSED or job.pause_code is None:
        return None
    return PauseView.model_validate({"code": job.pause_code, "reason": job.pause_reason or ""})


def _failed(farm: Farm, job: Job) -> list[FailedChunk]:
    if job.num_failed == 0:
        return []
    return [
        FailedChunk(
            index=chunk.index,
            start=chunk.start,
            end=chunk.end,
            attempts=chunk.failures,
            error=chunk.error or "",
        )
        for chunk in farm.store.chunks(job.id, {ChunkState.FAILED}, limit=MOST_FAILED)
    ]


def _sums(totals: ChunkTotals) -> dict[str, int]:
    return {
        "frames_fused": totals.frames_fused,
        "chunks": totals.num_chunks,
        "chunks_done": totals.num_rendered,
        "attempts": totals.attempts,
    }


def _in_flight(farm: Farm, job_id: str) -> tuple[list[RunningChunk], int]:
    """Return the chunks that workers hold, and the frames of those committed but not yet collected."""
    chunks = {chunk.index: chunk for chunk in farm.store.in_flight(job_id)}
    holders = farm.broker.leases.holders(job_id)
    running = [
        RunningChunk(
            index=index,
            start=chunks[index].start,
            end=chunks[index].end,
            attempt=holder.attempt,
            worker=holder.worker,
            num_frames=holder.num_frames,
            stage=holder.stage,
        )
        for index, holder in sorted(holders.items())
        if index in chunks
    ]
    return running, _num_committed(farm, job_id, chunks)


def _num_committed(farm: Farm, job_id: str, chunks: dict[int, Chunk]) -> int:
    # Without these the count would fall back between a worker's commit and the farm's collecting of it.
    results = farm.broker.leases.results(job_id)
    return sum(
        result.num_frames
        for index, result in results.items()
        if isinstance(result, ChunkRendered) and index in chunks
    )


def _fps(job: Job, frames_done: int, num_running: int) -> float | None:
    """Return the rate from the first offer to the last chunk, or until now.

    Where other jobs had their turn meanwhile, or the farm was down, that clock ran on for nothing: then the
    rate is what the job's chunks took, on as many workers as have some of them now.
    """
    if job.rendering_at is None or frames_done == 0:
        return None
    seconds = (job.rendered_at or job.finished_at or job.paused_at or time.time()) - job.rendering_at
    by_clock = frames_done / seconds if seconds > 0 else 0.0
    by_chunks = max(1, num_running) * job.num_paces / job.pace_sum if job.pace_sum > 0 else 0.0
    return (by_clock if by_clock * IDLE_FACTOR >= by_chunks else by_chunks) or None


def _is_queued(farm: Farm, job: Job, frames_done: int, running: list[RunningChunk]) -> bool:
    """Say whether a job waits for its first turn, while others have theirs."""
    has_begun = bool(running or frames_done or job.first_frame_at is not None)
    is_indexing = job.state == JobState.INDEXING and job.num_frames == 0
    if has_begun or is_indexing or job.state not in UNBEGUN:
        return False
    others = (other for other in farm.store.sharing_jobs() if other.id != job.id)
    return any(other.state == JobState.RENDERING for other in others)


def _eta_s(job: Job, frames_done: int, fps: float | None) -> float | None:
    if job.state != JobState.RENDERING or not fps:
        return None
    return (job.num_frames - frames_done) / fps


def _error(job: Job) -> ErrorView | None:
    if job.error_code is None:
        return None
    return ErrorView(code=job.error_code, message=job.error_message or "", hint=job.error_hint or "")


def _worker_view(beat: WorkerBeat) -> WorkerView:
    return WorkerView(
        worker=beat.worker,
        host=beat.host,
        pid=beat.pid,
        device=beat.device,
        state=beat.state,
        engines=list(beat.engines),
        job=beat.job_id,
        chunk=beat.index,
        fps=beat.fps,
    )
