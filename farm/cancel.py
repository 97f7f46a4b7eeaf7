"""Stop a job at the user's wish."""

from __future__ import annotations

from farm.bootstrap import Farm
from farm.errors import StaleTransition
from farm.states import LIVE_JOB_STATES, JobState


def cancel(farm: Farm, job_id: str) -> None:
    """Cancel a job. Workers that hold its chunks stop at their next frame; the reconciler cleans up.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: it has already ended.
    """
    job = farm.store.job(job_id)
    state = JobState(job.state)
    if state not in LIVE_JOB_STATES:
        raise StaleTransition(
            f"job {job_id} is already {state}", hint="only a job that goes on can be canceled"
        )
    farm.store.move_job(
        job_id, state, JobState.CANCELED, stage="canceled", finished_at=farm.wall(), cleaned=False
    )
    farm.broker.leases.withdraw_job(job_id)
    farm.publisher.advance(job_id)
