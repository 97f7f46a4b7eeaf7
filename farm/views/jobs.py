"""Jobs and their chunks, as users see them."""

from __future__ import annotations

import time
from collections import defaultdict

from broker.errors import BrokerError
from farm.bootstrap import Farm
from farm.estimate import eta_error_s
from farm.media.delivery import Delivery
from farm.media.target import Target
from farm.models import Job, JobWorker
from farm.schemas import (
    BlockedWorker,
    ChunkView,
    ErrorView,
    FailedChunk,
    JobView,
    OutputView,
    PauseView,
    RunningChunk,
)
from farm.states import CHUNKED_STATES, ChunkState, JobState
from farm.store import ChunkTotals
from farm.views import progress

#: Chunks that were given up, shown of a job; the others are in its list of chunks.
MOST_FAILED = 20

#: What a job that only waits for others does, in words; and the states in which it may.
QUEUED, UNBEGUN = "queued", CHUNKED_STATES | {JobState.SUBMITTED, JobState.INDEXING}


def job_view(farm: Farm, job_id: str) -> JobView:
    """Return a job as it is now.

    Raises:
        JobNotFound: there is none of that id.
    """
    return _job_view(farm, farm.store.job(job_id), farm.store.blocks([job_id]))


def job_views(farm: Farm, limit: int) -> list[JobView]:
    """Return the newest jobs, newest first, at most `limit`."""
    jobs = farm.store.jobs(limit)
    blocks = defaultdict(list)
    for row in farm.store.blocks([job.id for job in jobs]):
        blocks[row.job_id].append(row)
    return [_job_view(farm, job, blocks[job.id]) for job in jobs]


def chunk_views(farm: Farm, job_id: str) -> list[ChunkView]:
    """Return a job's chunks, in order.

    Raises:
        JobNotFound: there is none of that id.
    """
    farm.store.job(job_id)
    return [ChunkView.model_validate(chunk, from_attributes=True) for chunk in farm.store.all_chunks(job_id)]


def _since(began: float, now: float) -> float:
    """Return the seconds between; none, where the clock was set back meanwhile."""
    return max(0.0, now - began)


def _output(target: Target) -> OutputView:
    rate = None if target.rate is None else str(target.rate)
    return OutputView(path=target.path, encoder=target.encode.codec, pix_fmt=target.encode.pix_fmt, fps=rate)


def _job_view(farm: Farm, job: Job, blocks: list[JobWorker]) -> JobView:
    totals = ChunkTotals.of(job)
    running: list[RunningChunk] = []
    num_committed, trouble = 0, ""
    if job.state in CHUNKED_STATES:
        try:
            running, num_committed = progress.in_flight(farm, job.id)
        except BrokerError as error:
            trouble = f" ({error})"
    frames_done = totals.frames_rendered + num_committed + sum(chunk.num_frames for chunk in running)
    frames_done = min(frames_done, job.num_frames)
    fps = progress.rate(job, frames_done, len(running))
    eta_s = progress.eta(job, frames_done, fps)
    return JobView(
        job=job.id,
        state=JobState(job.state),
        input=job.input_path,
        output=job.output_path,
        outputs=[_output(target) for target in Delivery.from_json(job.target, job.output_path).outputs],
        engine=job.engine,
        created_at=job.created_at,
        seconds=_since(job.created_at, job.finished_at or time.time()),
        stage=(QUEUED if _is_queued(farm, job, frames_done, running) else job.stage) + trouble,
        unit="picture" if job.media.get("num_pictures") else "frame",
        frames=job.num_frames,
        frames_done=frames_done,
        fps=fps,
        eta_s=eta_s,
        eta_error_s=None if eta_s is None else eta_error_s(job, eta_s),
        first_frame_s=None if job.first_frame_at is None else _since(job.created_at, job.first_frame_at),
        notes=list(job.notes),
        models=job.models or {},
        running=running,
        error=_error(job),
        priority=job.priority,
        pause=_pause(job),
        chunks_failed=job.num_failed,
        failed=_failed(farm, job),
        blocked=[_blocked(row) for row in blocks],
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


def _blocked(row: JobWorker) -> BlockedWorker:
    return BlockedWorker(
        worker=row.worker, code=row.code or "", reason=row.reason or "", at=row.blocked_at or 0.0
    )


def _sums(totals: ChunkTotals) -> dict[str, int]:
    return {
        "frames_fused": totals.frames_fused,
        "chunks": totals.num_chunks,
        "chunks_done": totals.num_rendered,
        "attempts": totals.attempts,
    }


def _is_queued(farm: Farm, job: Job, frames_done: int, running: list[RunningChunk]) -> bool:
    """Say whether a job waits for its first turn, while others have theirs."""
    has_begun = bool(running or frames_done or job.first_frame_at is not None)
    is_indexing = job.state == JobState.INDEXING and job.num_frames == 0
    if has_begun or is_indexing or job.state not in UNBEGUN:
        return False
    others = (other for other in farm.store.sharing_jobs() if other.id != job.id)
    return any(other.state in CHUNKED_STATES for other in others)


def _error(job: Job) -> ErrorView | None:
    if job.error_code is None:
        return None
    return ErrorView(code=job.error_code, message=job.error_message or "", hint=job.error_hint or "")
