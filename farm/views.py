"""Rows, leases and heartbeats, put together as users see them."""

from __future__ import annotations

import importlib.metadata
import time

from sqlalchemy.exc import SQLAlchemyError

from broker.errors import BrokerError
from broker.heartbeats import WorkerBeat
from broker.messages import ChunkRendered
from farm.bootstrap import Farm
from farm.models import Chunk, Job
from farm.schemas import ChunkView, ErrorView, FarmView, JobView, RunningChunk, WorkerView
from farm.states import IN_FLIGHT, JobState
from farm.store import ChunkTotals


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
    return [ChunkView.model_validate(chunk, from_attributes=True) for chunk in farm.store.chunks(job_id)]


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
    totals = farm.store.totals(job.id)
    running: list[RunningChunk] = []
    num_committed, trouble = 0, ""
    if job.state == JobState.RENDERING:
        try:
            running, num_committed = _in_flight(farm, job.id)
        except BrokerError as error:
            trouble = f" ({error})"
    frames_done = totals.frames_rendered + num_committed + sum(chunk.num_frames for chunk in running)
    frames_done = min(frames_done, job.num_frames)
    fps = _fps(job, frames_done)
    return JobView(
        job=job.id,
        state=JobState(job.state),
        input=job.input_path,
        output=job.output_path,
        engine=job.engine,
        created_at=job.created_at,
        seconds=(job.finished_at or time.time()) - job.created_at,
        stage=job.stage + trouble,
        frames=job.num_frames,
        frames_done=frames_done,
        fps=fps,
        eta_s=_eta_s(job, frames_done, fps),
        first_frame_s=None if job.first_frame_at is None else job.first_frame_at - job.created_at,
        notes=list(job.notes),
        running=running,
        error=_error(job),
        **_sums(totals),
    )


def _sums(totals: ChunkTotals) -> dict[str, int]:
    return {
        "frames_fused": totals.frames_fused,
        "chunks": totals.num_chunks,
        "chunks_done": totals.num_rendered,
        "attempts": totals.attempts,
    }


def _in_flight(farm: Farm, job_id: str) -> tuple[list[RunningChunk], int]:
    """Return the chunks that workers hold, and the frames of those committed but not yet collected."""
    chunks = {chunk.index: chunk for chunk in farm.store.chunks(job_id, IN_FLIGHT)}
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


def _fps(job: Job, frames_done: int) -> float | None:
    """Return the rate from the first offer to the last chunk, or until now."""
    if job.rendering_at is None or frames_done == 0:
        return None
    seconds = (job.rendered_at or job.finished_at or time.time()) - job.rendering_at
    return frames_done / seconds if seconds > 0 else None


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
