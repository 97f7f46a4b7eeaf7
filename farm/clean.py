"""Leave nothing behind when a job has ended, however it ended."""

from __future__ import annotations

import shutil
from pathlib import Path

from farm.bootstrap import Farm
from farm.lock import JobLock
from farm.models import Job
from farm.output import partial_path
from farm.states import JobState


def clean(farm: Farm, job: Job, lock: JobLock) -> bool:  # noqa: ARG001 - every step has this signature
    """Free what an ended job holds in Redis and on disk; its row and events stay."""
    if job.cleaned:
        return False
    farm.broker.leases.forget_job(job.id)
    for name in farm.broker.segments.names(job.id):
        farm.broker.segments.delete(name)
    partial_path(Path(job.output_path), job.id).unlink(missing_ok=True)
    shutil.rmtree(farm.config.job_directory(job.id), ignore_errors=True)
    if job.state == JobState.CANCELED:
        farm.store.cancel_chunks(job.id)
    farm.store.update_job(job.id, cleaned=True)
    return False
