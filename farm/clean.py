"""Let go of what a job need not hold: everything when it has ended, all but the disk when it may go on."""

from __future__ import annotations

import logging
import shutil

from broker.errors import BrokerError
from farm import disk
from farm.bootstrap import Farm
from farm.collect import collect, take_back
from farm.errors import FarmError
from farm.lock import JobLock
from farm.models import Job
from farm.output import discard_partials
from farm.states import JobState

log = logging.getLogger(__name__)


def clean(farm: Farm, job: Job, lock: JobLock) -> bool:  # noqa: ARG001 - every step has this signature
    """Free what an ended job holds in Redis and on disk; its row and events stay.

    A failed job that can be retried keeps its source, manifest and rendered chunks.
    """
    if job.cleaned:
        return False
    if job.state == JobState.FAILED and job.came_from is not None:
        _stop_chunks(farm, job)
    else:
        shutil.rmtree(farm.config.job_directory(job.id), ignore_errors=True)
    _free(farm, job)
    if job.state != JobState.FAILED:
        farm.store.unblock(job.id)
    if job.state == JobState.CANCELED:
        farm.store.cancel_chunks(job.id, farm.breathe)
    farm.store.settle_job(job.id, JobState(job.state))
    return False


def settle(farm: Farm, job: Job) -> None:
    """Free what a paused job holds in Redis; what workers have finished of it is taken first."""
    if job.cleaned:
        return
    try:
        collect(farm, job)
    except (FarmError, BrokerError, OSError) as error:
        if isinstance(error, OSError) and not disk.is_full(error):
            raise
        log.warning("not all could be taken: %s", error, extra={"job": job.id})
    _stop_chunks(farm, job)
    _free(farm, job)
    farm.store.settle_job(job.id, JobState.PAUSED)


def _stop_chunks(farm: Farm, job: Job) -> None:
    farm.broker.leases.withdraw_job(job.id)
    for chunk in farm.store.in_flight(job.id):
        take_back(farm, chunk, f"the job was {job.state}")


def _free(farm: Farm, job: Job) -> None:
    farm.broker.leases.forget_job(job.id)
    for name in farm.broker.segments.names(job.id):
        farm.broker.segments.delete(name)
    discard_partials(job)
