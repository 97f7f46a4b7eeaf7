"""How far a job is, and how fast: its row, and what workers hold that the row does not know of yet."""

from __future__ import annotations

import time

from broker.messages import ChunkRendered
from farm.bootstrap import Farm
from farm.models import Chunk, Job
from farm.schemas import RunningChunk
from farm.states import CHUNKED_STATES

#: A job whose clock runs this much faster than its rendering shares the farm, or has slept with it.
IDLE_FACTOR = 2.0


def in_flight(farm: Farm, job_id: str) -> tuple[list[RunningChunk], int]:
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
            still_s=holder.still_s,
        )
        for index, holder in sorted(holders.items())
        if index in chunks
    ]
    return running, _num_committed(farm, job_id, chunks)


def rate(job: Job, frames_done: int, num_running: int) -> float | None:
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


def eta(job: Job, frames_done: int, fps: float | None) -> float | None:
    """Return the seconds until the last frame is rendered, at `fps`; None where that means nothing."""
    if job.state not in CHUNKED_STATES or not fps:
        return None
    return (job.num_frames - frames_done) / fps


def _num_committed(farm: Farm, job_id: str, chunks: dict[int, Chunk]) -> int:
    # Without these the count would fall back between a worker's commit and the farm's collecting of it.
    results = farm.broker.leases.results(job_id)
    return sum(
        result.num_frames
        for index, result in results.items()
        if isinstance(result, ChunkRendered) and index in chunks
    )
