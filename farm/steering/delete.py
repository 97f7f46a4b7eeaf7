"""Remove a job and all that is left of it, or say what that would be."""

from __future__ import annotations

from pathlib import Path

from farm.bootstrap import Farm
from farm.cancel import cancel
from farm.clean import clean
from farm.errors import StaleTransition
from farm.lock import JobLock
from farm.models import Job
from farm.output import output_paths, partial_paths, remove_output
from farm.schemas import DeletionView, PathView
from farm.states import LIVE_JOB_STATES, JobState

#: How long a step that is under way may take to notice that its job was canceled, in seconds.
PATIENCE_S = 10.0
LOOK_S = 0.1


def delete(
    farm: Farm, job_id: str, *, dry_run: bool = False, force: bool = False, with_output: bool = False
) -> DeletionView:
    """Delete a job that has ended: its rows, its files, and what is left of it in Redis.

    The finished output stays, unless `with_output`; the input is never touched. A job that has not ended is
    canceled first if `force`. `dry_run` changes nothing.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: it has not ended and `force` is false, or a long step of it does not let go.
    """
    job = farm.store.job(job_id)
    is_live = JobState(job.state) in LIVE_JOB_STATES
    if is_live and not force:
        raise StaleTransition(
            f"job {job_id} is {job.state}", hint="cancel it first, or give --force to do both at once"
        )
    report = _report(farm, job, is_done=not dry_run, with_output=with_output)
    if dry_run:
        return report
    if is_live:
        cancel(farm, job_id)
    _remove(farm, job_id)
    if with_output and job.state == JobState.DONE:
        for output in output_paths(job):
            remove_output(output)
    return report


def _remove(farm: Farm, job_id: str) -> None:
    end_s = farm.clock.now_s() + PATIENCE_S
    while True:
        with JobLock(farm.broker.leases, job_id) as lock:
            if lock.is_held:
                # As a canceled job: nothing is kept, whatever it was.
                job = farm.store.job(job_id)
                job.came_from, job.cleaned = None, False
                clean(farm, job, lock)
                # Should this be cut off, nobody can take up what is left; deleting it again ends it.
                farm.store.update_job(job_id, came_from=None)
                farm.store.delete_events(job_id, farm.breathe)
                farm.store.delete_chunks(job_id, farm.breathe)
                farm.store.delete_job(job_id)
                return
        if farm.clock.now_s() > end_s:
            raise StaleTransition(
                f"a step of job {job_id} is still under way", hint="delete it again in a minute"
            )
        farm.clock.sleep(LOOK_S)


def _report(farm: Farm, job: Job, *, is_done: bool, with_output: bool) -> DeletionView:
    paths = [farm.config.job_directory(job.id), *partial_paths(job)]
    if with_output and job.state == JobState.DONE:
        paths += output_paths(job)
    leases = farm.broker.leases
    return DeletionView(
        job=job.id,
        is_done=is_done,
        rows={"job": 1, **farm.store.num_rows(job.id)},
        paths=[PathView(path=str(path), num_bytes=_size(path)) for path in paths if path.exists()],
        redis_keys=sum(
            len(found)
            for found in (
                farm.broker.segments.names(job.id),
                leases.offered(job.id),
                leases.results(job.id),
            )
        ),
    )


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
