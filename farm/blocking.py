"""Which workers a job keeps its chunks from, and why: three failed on one, or one runs another build."""

from __future__ import annotations

from broker.messages import OTHER_BUILD
from farm.bootstrap import Farm
from farm.errors import JobFailed, StaleTransition
from farm.models import Job, JobWorker

#: Chunks of one job that may fail on one worker before it gets no more of them: Flamenco's rule and number.
#: One chunk that fails everywhere counts once, so that it brings down nobody.
MOST_FAILED = 3

#: How long a worker may be missed before what a job has against it is forgotten, in seconds. Names are mostly
#: random, so that a restarted worker is a new one: rows would pile up for ever. Longer than a restart.
FORGET_S = 600.0

#: How long a job waits while every live worker is blocked for it, before it fails, in seconds: a farm whose
#: workers are replaced one by one has a sound one by then, and nobody should wait longer for an error.
STRANDED_S = 60.0

#: The code of a block for failures; that for another build is a worker's own word.
FAILURES = "failures"


def note_failure(farm: Farm, job_id: str, worker: str, index: int, reason: str) -> None:
    """Hold a chunk's failure against the worker that had it; block one that has had too many.

    The last worker is never blocked for failures: chunks that fail on it are given up one by one, and the job
    then fails with their frames, which says more than that nobody is left.
    """
    num_failed = farm.store.note_failure(job_id, worker, index)
    if num_failed < MOST_FAILED:
        return
    blocked = {row.worker for row in farm.store.blocks([job_id])}
    if {beat.worker for beat in farm.broker.heartbeats.live()} - blocked - {worker}:
        text = f"{num_failed} chunks of this job have failed on it, the last: {reason.splitlines()[0]}"
        block(farm, job_id, worker, code=FAILURES, reason=text)


def block(farm: Farm, job_id: str, worker: str, *, code: str, reason: str) -> None:
    """Keep the job's chunks from a worker from now on; those that are on their way it passes on itself."""
    farm.store.block(job_id, worker, code=code, reason=reason)
    _tell(farm, job_id)


def unblock(farm: Farm, job_id: str, worker: str) -> None:
    """Let a worker have the job's chunks again, with no failure to its name.

    Raises:
        JobNotFound: there is no such job.
        StaleTransition: the worker is not blocked for it.
    """
    farm.store.job(job_id)
    if worker not in {row.worker for row in farm.store.blocks([job_id])}:
        raise StaleTransition(
            f"worker {worker!r} is not blocked for job {job_id}", hint=f"`farm status {job_id}` names who is"
        )
    farm.store.unblock(job_id, [worker])
    _tell(farm, job_id)
    farm.publisher.advance(job_id)


def tend(farm: Farm, job: Job) -> None:
    """Forget workers that have gone for good; notice that nobody is left, and that somebody is again.

    Raises:
        JobFailed: for a while now every live worker has been blocked.
    """
    rows = farm.store.against(job.id)
    if not rows and job.stranded_at is None:
        return
    live = {beat.worker for beat in farm.broker.heartbeats.live()}
    kept = [row for row in rows if not _is_forgotten(farm, row, is_live=row.worker in live)]
    blocks = [row for row in kept if row.blocked_at is not None]
    if blocks:
        _tell(farm, job.id)  # again: a Redis that was emptied has forgotten it
    if live and live <= {row.worker for row in blocks}:
        _strand(farm, job, [row for row in blocks if row.worker in live])
    elif job.stranded_at is not None:
        farm.store.update_job(job.id, stranded_at=None, stage=job.state)


def _tell(farm: Farm, job_id: str) -> None:
    farm.broker.leases.bar(job_id, {row.worker for row in farm.store.blocks([job_id])})


def _is_forgotten(farm: Farm, row: JobWorker, *, is_live: bool) -> bool:
    if is_live != (row.gone_at is None):
        farm.store.note_presence(row.job_id, row.worker, None if is_live else farm.wall())
    elif row.gone_at is not None and farm.wall() - row.gone_at > FORGET_S:
        farm.store.unblock(row.job_id, [row.worker])
        return True
    return False


def _strand(farm: Farm, job: Job, blocks: list[JobWorker]) -> None:
    why = "; ".join(f"{row.worker}: {row.reason}" for row in blocks)
    message = f"every worker that is up is blocked for this job: {why}"
    age_s = None if job.stranded_at is None else farm.wall() - job.stranded_at
    if age_s is None or age_s < 0:  # below 0: the clock was set back, and the minute begins anew
        farm.store.update_job(job.id, stranded_at=farm.wall(), stage=message)
    elif age_s > STRANDED_S:
        is_build = all(row.code == OTHER_BUILD for row in blocks)
        raise JobFailed(
            message,
            code=OTHER_BUILD if is_build else "no-worker-left",
            hint=_other_build_hint(job.id) if is_build else _failures_hint(job.id),
        )


def _other_build_hint(job_id: str) -> str:
    return (
        "start a worker of the build that the job was planned with and `farm retry "
        f"{job_id}`, or `farm retry {job_id} --replan` to render it from the start with the present build"
    )


def _failures_hint(job_id: str) -> str:
    return f"repair or replace the workers (their logs say more), then `farm retry {job_id}`: it unblocks all"
