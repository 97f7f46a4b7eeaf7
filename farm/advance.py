"""The reconciler: one idempotent step that moves a job on from wherever it is.

It may be called at any moment, by any process, any number of times: one caller at a time holds the job's
lock, every change is compare-and-set, and whatever a dead process left half done is done again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from farm import blocking, clean, collect, disk, dispatch, looking, prepare, reap, stitch
from farm.bootstrap import Farm
from farm.errors import FarmError, JobNotFound, StaleTransition, is_bad_input
from farm.lock import JobLock
from farm.models import Job
from farm.states import LIVE_JOB_STATES, JobState, return_state
from farm.steering import pause

log = logging.getLogger(__name__)

#: States in which an error ends the step, and not the reconciler.
WORKING = LIVE_JOB_STATES - {JobState.PAUSED}

Step = Callable[[Farm, Job, JobLock], bool]


def advance(farm: Farm, job_id: str) -> None:
    """Move one job on, as far as it goes without waiting; do nothing if somebody else is at it."""
    with JobLock(farm.broker.leases, job_id) as lock:
        if not lock.is_held:
            return
        try:
            while _step(farm, farm.store.job(job_id), lock):
                lock.renew()
        except JobNotFound:
            log.info("deleted meanwhile", extra={"job": job_id})
        except StaleTransition:
            log.info("moved on by somebody else", extra={"job": job_id})


def _step(farm: Farm, job: Job, lock: JobLock) -> bool:
    state = JobState(job.state)
    try:
        return STEPS[state](farm, job, lock)
    except StaleTransition:
        # Canceled, or moved on, while we looked: look again at what it is now.
        return True
    except (FarmError, OSError, OperationalError) as error:
        lock.renew()  # the troubles of somebody who has lost the job to another say nothing of it
        return _stop(farm, job, error)


def _stop(farm: Farm, job: Job, error: FarmError | OSError | OperationalError) -> bool:
    """Pause or fail a job that met an error."""
    if JobState(job.state) not in WORKING:
        raise error
    try:
        if disk.is_full(error):
            log.warning("disk full", extra={"job": job.id})
            pause.pause_for_space(farm, job)
        elif isinstance(error, FarmError):
            _fail(farm, job, error)
        elif isinstance(error, OperationalError):
            raise error  # the database is away for a while; the next round tries again
        else:
            _fail(farm, job, FarmError(f"{error.strerror}: {error.filename}", code="disk-error"))
    except StaleTransition:
        log.info("stopped by its user meanwhile", extra={"job": job.id})
    return True


def _fail(farm: Farm, job: Job, error: FarmError) -> None:
    log.error("job failed", extra={"job": job.id, "code": error.code, "reason": error.message})
    state = JobState(job.state)
    # What was rendered is worth keeping, unless no retry can ever use it. An output that cannot be put in its
    # place is bad input too, but the user's next step is to make room for it.
    is_kept = state == JobState.STITCHING or not is_bad_input(error.code)
    farm.store.move_job(
        job.id,
        state,
        JobState.FAILED,
        detail=error.message,
        stage="failed",
        finished_at=farm.wall(),
        came_from=return_state(state) if is_kept else None,
        error_code=error.code,
        error_message=error.message,
        error_hint=error.hint,
    )


def _render(farm: Farm, job: Job, lock: JobLock) -> bool:
    _work_off(farm, job, lock)
    return stitch.is_ready(farm, job)


def _look(farm: Farm, job: Job, lock: JobLock) -> bool:
    if not looking.has_album(farm, job):
        _work_off(farm, job, lock)
    return looking.is_ready(farm, job, lock)


def _work_off(farm: Farm, job: Job, lock: JobLock) -> None:
    """Take what workers have done of the job's chunks, see to what was lost, and offer more."""
    collect.collect(farm, job)
    reap.reap(farm, job)
    blocking.tend(farm, job)
    dispatch.dispatch(farm, job, lock)


STEPS: dict[JobState, Step] = {
    JobState.SUBMITTED: prepare.begin,
    JobState.INDEXING: prepare.prepare,
    JobState.LOOKING: _look,
    JobState.RENDERING: _render,
    JobState.STITCHING: stitch.stitch,
    JobState.PAUSED: pause.look_for_space,
    JobState.DONE: clean.clean,
    JobState.FAILED: clean.clean,
    JobState.CANCELED: clean.clean,
}
