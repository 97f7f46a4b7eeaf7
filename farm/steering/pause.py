"""Hold a job, and let it go on: at its user's wish, or because a disk is full."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from farm import disk
from farm.bootstrap import Farm
from farm.clean import settle
from farm.errors import StaleTransition
from farm.lock import JobLock
from farm.models import Job
from farm.output import discard_partials
from farm.states import CHUNKED_STATES, LIVE_JOB_STATES, JobState, return_state

#: Why a job is paused.
ASKED, DISK_FULL = "asked", "disk-full"

#: How long a job that met a full disk waits at least before it goes on by itself, in seconds. A quota is not
#: seen in the free space, and a job must not stop and go with every round.
REST_S = 5.0

_GOING_ON: dict[str, Any] = {
    "pause_code": None,
    "pause_reason": None,
    "pause_path": None,
    "pause_bytes": None,
    "paused_at": None,
    "came_from": None,
    "cleaned": False,
}


def pause(farm: Farm, job_id: str) -> None:
    """Hold a job. Workers stop at their next frame; what was rendered, the manifest and the plan are kept.

    A job that waits for disk space then waits for `resume` instead.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: it has ended, or its user has paused it already.
    """
    job = farm.store.job(job_id)
    state = JobState(job.state)
    if state == JobState.PAUSED and job.pause_code == DISK_FULL:
        farm.store.update_job(job_id, pause_code=ASKED, pause_reason=None, stage="paused")
        return
    if state not in LIVE_JOB_STATES - {JobState.PAUSED}:
        raise StaleTransition(
            f"job {job_id} is already {state}", hint="only a job that goes on can be paused"
        )
    _hold(farm, job, pause_code=ASKED, stage="paused")
    farm.broker.leases.withdraw_job(job_id)
    farm.publisher.advance(job_id)


def pause_for_redis(farm: Farm, job_id: str) -> None:
    """Hold a job under way for which Redis takes no changes, if that is for want of space in the farm's home.

    Asks nothing of Redis; where it keeps its log elsewhere, only waiting helps.
    """
    job, home = farm.store.job(job_id), farm.config.home
    is_under_way = JobState(job.state) in LIVE_JOB_STATES - {JobState.PAUSED, JobState.SUBMITTED}
    if is_under_way and disk.free_bytes(home) < disk.RESERVE_BYTES:
        with suppress(StaleTransition):
            pause_for_space(farm, job, home)


def pause_for_space(farm: Farm, job: Job, place: Path | None = None) -> None:
    """Hold a job whose disk is full, with the reason; `look_for_space` lets it go on.

    `place` is a directory on that disk; None: where the job writes in its state.

    Raises:
        StaleTransition: it is no longer in the state of `job`.
    """
    place, needed = place or disk.place_of(farm, job), disk.needed_bytes(job)
    # First of all: the row that is about to be written may lie on the same disk.
    discard_partials(job)
    disk.give_up_spare(farm.config.home)
    free = disk.free_bytes(place)
    reason = f"the disk of {place} is full: {_mib(free)} free, about {_mib(needed)} needed to go on"
    _hold(
        farm,
        job,
        pause_code=DISK_FULL,
        pause_reason=reason,
        pause_path=str(place),
        pause_bytes=needed,
        stage="paused: disk full",
    )


def resume(farm: Farm, job_id: str) -> None:
    """Let a paused job go on from where it was.

    Raises:
        JobNotFound: there is none of that id.
        StaleTransition: it is not paused.
    """
    job = farm.store.job(job_id)
    if job.state != JobState.PAUSED:
        raise StaleTransition(
            f"job {job_id} is {job.state}, not paused", hint="`farm retry` is for failed jobs"
        )
    go_on(farm, job, stopped_at=job.paused_at)
    farm.publisher.advance(job_id)


def look_for_space(farm: Farm, job: Job, lock: JobLock) -> bool:  # noqa: ARG001 - every step has this signature
    """PAUSED: let go of Redis, then go on if it was for want of space and there is space again."""
    settle(farm, job)
    if job.pause_code != DISK_FULL or job.pause_path is None:
        return False
    # Either way: a pause that begins in the future says that the clock was set back.
    has_rested = abs(farm.wall() - (job.paused_at or 0.0)) >= REST_S
    if not has_rested or disk.free_bytes(Path(job.pause_path)) < (job.pause_bytes or 0):
        return False
    go_on(farm, job, stopped_at=job.paused_at)
    return True


def go_on(farm: Farm, job: Job, *, stopped_at: float | None, **fields: Any) -> None:
    """Return a paused or failed job to where it came from, and set `fields` with it.

    The time since `stopped_at` does not count as rendering time.

    Raises:
        StaleTransition: it has left that state, or keeps nothing to go on from.
    """
    if job.came_from is None:
        raise StaleTransition(f"nothing is kept of job {job.id}", hint="submit it again")
    back = JobState(job.came_from)
    if job.rendering_at is not None and stopped_at is not None and back in CHUNKED_STATES:
        fields["rendering_at"] = job.rendering_at + farm.wall() - stopped_at
    farm.store.move_job(job.id, JobState(job.state), back, stage=_stage(back), **_GOING_ON, **fields)


def _hold(farm: Farm, job: Job, **fields: Any) -> None:
    state = JobState(job.state)
    farm.store.move_job(
        job.id,
        state,
        JobState.PAUSED,
        detail=str(fields.get("pause_reason") or ""),
        came_from=return_state(state),
        paused_at=farm.wall(),
        cleaned=False,
        **fields,
    )


def _stage(state: JobState) -> str:
    return "waiting" if state == JobState.SUBMITTED else str(state)


def _mib(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:.0f} MiB"
