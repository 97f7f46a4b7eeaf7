"""Put a job before others, or behind them."""

from __future__ import annotations

from farm.bootstrap import Farm
from farm.errors import StaleTransition
from farm.states import LIVE_JOB_STATES, JobState


def prioritise(farm: Farm, job_id: str, priority: int) -> None:
    """Set a job's priority; it counts from the next offer on.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: the job has ended, and cannot be taken up again.
    """
    job = farm.store.job(job_id)
    if JobState(job.state) not in LIVE_JOB_STATES | {JobState.FAILED}:
        raise StaleTransition(
            f"job {job_id} is already {job.state}", hint="only a job that goes on has a turn"
        )
    farm.store.update_job(job_id, priority=priority)
    farm.publisher.advance(job_id)
