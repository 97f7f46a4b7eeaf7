"""Try again what failed."""

from __future__ import annotations

from farm.bootstrap import Farm
from farm.errors import StaleTransition
from farm.states import JobState
from farm.steering.pause import go_on


def retry(farm: Farm, job_id: str) -> None:
    """Return a failed job to where it failed; rendered chunks are kept, failed ones begin anew.

    Workers that were blocked for it get its chunks again.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: it has not failed, or failed for its input, of which nothing is kept.
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
    farm.store.retry_chunks(job_id)
    farm.store.unblock(job_id)
    go_on(
        farm,
        job,
        stopped_at=job.finished_at,
        finished_at=None,
        stranded_at=None,
        error_code=None,
        error_message=None,
        error_hint=None,
    )
    farm.publisher.advance(job_id)
