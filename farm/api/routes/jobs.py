"""Jobs over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query

from farm.api.deps import FarmDep
from farm.api.errors import ErrorBody
from farm.errors import BadInput
from farm.precheck import precheck
from farm.requests import JobRequest
from farm.schemas import CheckView, ChunkView, JobView
from farm.submit import submit
from farm.views import chunk_views, job_view, job_views

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

NOT_FOUND: dict[str, Any] = {"model": ErrorBody, "description": "There is no such job."}


@router.post(
    "", status_code=201, responses={422: {"model": ErrorBody, "description": "The files cannot be used."}}
)
def submit_job(request: JobRequest, farm: FarmDep) -> JobView:
    """Accept a job. The files are looked at first: what cannot be rendered is refused, with the reason."""
    check_absolute(request)
    return job_view(farm, submit(farm, request))


@router.post("/check", responses={422: {"model": ErrorBody, "description": "The files cannot be used."}})
def check_job(request: JobRequest, farm: FarmDep) -> CheckView:
    """Say what a job would take, and what speaks against it. Takes up to ten seconds, if workers are busy."""
    check_absolute(request)
    return precheck(farm, request)


@router.get("")
def list_jobs(farm: FarmDep, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[JobView]:
    """Return the newest jobs, newest first."""
    return job_views(farm, limit)


@router.get("/{job_id}", responses={404: NOT_FOUND})
def show_job(job_id: str, farm: FarmDep) -> JobView:
    """Return a job as it is now, with the chunks that workers hold."""
    return job_view(farm, job_id)


@router.get("/{job_id}/chunks", responses={404: NOT_FOUND})
def list_chunks(job_id: str, farm: FarmDep) -> list[ChunkView]:
    """Return a job's chunks, in order."""
    return chunk_views(farm, job_id)


def check_absolute(request: JobRequest) -> None:
    """Refuse paths that would mean something else in the farm's own directory.

    Raises:
        BadInput: one is relative.
    """
    given = [("input", request.input), ("output", request.output), ("gallery", request.gallery)]
    given += [("source", path) for path in request.sources]
    given += [("reference", path) for path in request.references]
    for name, path in given:
        if path is not None and not Path(path).is_absolute():
            raise BadInput(f"{name}: {path!r} is not absolute", hint="the farm has another working directory")
