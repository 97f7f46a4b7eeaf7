"""Steering jobs over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from farm.api.deps import FarmDep
from farm.api.errors import ErrorBody
from farm.blocking import unblock
from farm.cancel import cancel
from farm.requests import PriorityRequest, UnblockRequest
from farm.schemas import DeletionView, JobView
from farm.steering.delete import delete
from farm.steering.pause import pause, resume
from farm.steering.priority import prioritise
from farm.steering.retry import retry
from farm.views import job_view

router = APIRouter(prefix="/api/jobs", tags=["steering"])

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "There is no such job."},
    409: {"model": ErrorBody, "description": "The job is in no state for this."},
}


@router.post("/{job_id}/cancel", responses=REFUSALS)
def cancel_job(job_id: str, farm: FarmDep) -> JobView:
    """Stop a job for good. Workers stop at their next frame, and what was rendered is thrown away."""
    cancel(farm, job_id)
    return job_view(farm, job_id)


@router.post("/{job_id}/pause", responses=REFUSALS)
def pause_job(job_id: str, farm: FarmDep) -> JobView:
    """Hold a job. Workers stop at their next frame; finished chunks are kept, and running ones begin anew."""
    pause(farm, job_id)
    return job_view(farm, job_id)


@router.post("/{job_id}/resume", responses=REFUSALS)
def resume_job(job_id: str, farm: FarmDep) -> JobView:
    """Let a paused job go on from where it was."""
    resume(farm, job_id)
    return job_view(farm, job_id)


@router.post("/{job_id}/retry", responses=REFUSALS)
def retry_job(job_id: str, farm: FarmDep, *, replan: bool = False) -> JobView:
    """Take a failed job up where it failed: finished chunks are kept, failed ones are tried anew.

    `replan` throws away what was rendered, and begins anew with the workers and the version there are now.
    """
    retry(farm, job_id, replan=replan)
    return job_view(farm, job_id)


@router.post("/{job_id}/priority", responses=REFUSALS)
def set_priority(job_id: str, request: PriorityRequest, farm: FarmDep) -> JobView:
    """Put a job before others, or behind them: higher goes first."""
    prioritise(farm, job_id, request.priority)
    return job_view(farm, job_id)


@router.post("/{job_id}/unblock", responses=REFUSALS)
def unblock_worker(job_id: str, request: UnblockRequest, farm: FarmDep) -> JobView:
    """Let a worker that was blocked for a job have its chunks again."""
    unblock(farm, job_id, request.worker)
    return job_view(farm, job_id)


@router.delete("/{job_id}", responses=REFUSALS)
def delete_job(
    job_id: str, farm: FarmDep, *, dry_run: bool = False, force: bool = False, output: bool = False
) -> DeletionView:
    """Delete a job that has ended. `force` cancels it first, `output` deletes the finished video too."""
    return delete(farm, job_id, dry_run=dry_run, force=force, with_output=output)
