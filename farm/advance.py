"""The reconciler: one idempotent step that moves a job on from wherever it is.

It may be called at any moment, by any process, any number of times: one caller at a time holds the job's
lock, every change is compare-and-set, and whatever a dead process left half done is done again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from farm import clean, collect, dispatch, prepare, reap, stitch
from farm.bootstrap import Farm
from farm.errors import FarmError, StaleTransition
from farm.lock import JobLock
from farm.models import Job
from farm.states import LIVE_JOB_STATES, JobState

log = logging.getLogger(__name__)

Step = Callable[[Farm, Job, JobLock], bool]


def advance(farm: Farm, job_id: str) -> None:
    """Move one job on, as far as it goes without waiting; do nothing if somebody else is at it."""
    with JobLock(farm.broker.leases, job_id) as lock:
        if not lock.is_held:
            return
        while _step(farm, farm.store.job(job_id), lock):
            lock.renew()


def _step(farm: Farm, job: Job, lock: JobLock) -> bool:
    state = JobState(job.state)
    try:
        return STEPS[state](farm, job, lock)
    except StaleTransition:
        # Canceled, or moved on, while we looked: look again at what it is now.
        return True
    except FarmError as error:
        return _fail(farm, job, error)
    except OSError as error:
        return _fail(farm, job, FarmError(f"{error.strerror}: {error.filename}", code="disk-error"))


def _fail(farm: Farm, job: Job, error: FarmError) -> bool:
    log.error("job failed", extra={"job": job.id, "code": error.code, "reason": error.message})
    state = JobState(job.state)
    if state not in LIVE_JOB_STATES:
        raise error
    farm.store.move_job(
        job.id,
        state,
        JobState.FAILED,
        stage="failed",
        finished_at=farm.wall(),
        error_code=error.code,
        error_message=error.message,
        error_hint=error.hint,
    )
    return True


def _render(farm: Farm, job: Job, lock: JobLock) -> bool:
    collect.collect(farm, job)
    reap.reap(farm, job)
    dispatch.dispatch(farm, job, lock)
    return stitch.is_ready(farm, job)


STEPS: dict[JobState, Step] = {
    JobState.SUBMITTED: prepare.begin,
    JobState.INDEXING: prepare.prepare,
    JobState.RENDERING: _render,
    JobState.STITCHING: stitch.stitch,
    JobState.DONE: clean.clean,
    JobState.FAILED: clean.clean,
    JobState.CANCELED: clean.clean,
}
