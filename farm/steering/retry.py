"""Try again what failed."""

from __future__ import annotations

import shutil
from typing import Any

from farm.bootstrap import Farm
from farm.clean import clean
from farm.errors import StaleTransition
from farm.lock import JobLock
from farm.models import Job
from farm.people.album import album_path
from farm.prepare import manifest_path
from farm.requests import JobRequest
from farm.states import JobState
from farm.steering.pause import go_on

#: What a job's row says before it was planned.
_UNPLANNED: dict[str, Any] = {
    "num_frames": 0,
    "radius": 0,
    "fingerprint": None,
    "checked_at": None,
    "admitted_at": None,
    "rendering_at": None,
    "rendered_at": None,
    "first_frame_at": None,
}


def retry(farm: Farm, job_id: str, *, replan: bool = False) -> None:
    """Return a failed job to where it failed; rendered chunks are kept, failed ones begin anew.

    Workers that were blocked for it get its chunks again. With `replan`, nothing is kept: the job begins anew
    with the workers and the version that there are now.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: it has not failed, it failed for its input, of which nothing is kept, or a step of it
            is still under way.
    """
    job = farm.store.job(job_id)
    if job.state != JobState.FAILED:
        raise StaleTransition(
            f"job {job_id} is {job.state}, not failed", hint="only failed jobs can be retried"
        )
    if job.came_from is None:
        raise StaleTransition(
            f"job {job_id} failed for what it was given ({job.error_code}), and nothing of it is kept",
            hint="repair the input, and submit it again",
        )
    fields: dict[str, Any] = {
        "finished_at": None,
        "stranded_at": None,
        "error_code": None,
        "error_message": None,
        "error_hint": None,
    }
    if replan:
        _forget_plan(farm, job)
        job.came_from, fields = JobState.SUBMITTED, fields | _UNPLANNED
    else:
        farm.store.retry_chunks(job_id)
    farm.store.unblock(job_id)
    go_on(farm, job, stopped_at=job.finished_at, **fields)
    farm.publisher.advance(job_id)


def _forget_plan(farm: Farm, job: Job) -> None:
    """Throw away manifest, chunks and all that was rendered; the source stays.

    Raises:
        StaleTransition: a step of the job is still under way.
    """
    with JobLock(farm.broker.leases, job.id) as lock:
        if not lock.is_held:
            raise StaleTransition(f"job {job.id} is still being stopped", hint="try again in some seconds")
        clean(farm, job, lock)
        manifest_path(farm, job.id).unlink(missing_ok=True)
        directory = farm.config.job_directory(job.id)
        shutil.rmtree(directory / "spool", ignore_errors=True)
        if JobRequest(**job.request).gallery is None:
            shutil.rmtree(album_path(directory), ignore_errors=True)
        farm.store.replace_chunks(job.id, (), farm.breathe)
