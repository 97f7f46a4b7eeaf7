"""Which jobs are to be looked at, which may begin, and how fast earlier ones went: all in one query each."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from farm.models import Job
from farm.states import CHUNKED_STATES, JobState
from farm.store.sessions import Sessions

#: A step of priority outweighs this much waiting, in seconds. Finite, so that no stream of more important
#: jobs can hold one back for ever (OpenCue adds age to priority in the same way).
PRIORITY_S = 3600.0

_ACTIVE = (JobState.INDEXING, JobState.LOOKING, JobState.RENDERING, JobState.STITCHING)

#: Rank in the queue; the largest goes first.
_RANK = Job.priority * PRIORITY_S - Job.created_at


class QueueRows(Sessions):
    """What the reconciler asks in every round."""

    def due_jobs(self) -> list[str]:
        """Return the jobs that a round must look at: under way, not yet cleaned up, or short of disk space.

        Jobs that wait in the queue are not among them, nor those that their user has paused.
        """
        under_way = Job.cleaned.is_(False) & (Job.state != JobState.SUBMITTED)
        full = (Job.state == JobState.PAUSED) & (Job.pause_code == "disk-full")
        query = select(Job.id).where(or_(under_way, full)).order_by(_RANK.desc(), Job.id)
        return self._all(query)

    def first_in_queue(self, limit: int) -> list[str]:
        """Return the jobs that begin next, in order."""
        query = select(Job.id).where(Job.state == JobState.SUBMITTED).order_by(_RANK.desc(), Job.id)
        return self._all(query.limit(limit))

    def num_active(self) -> tuple[int, int]:
        """Return how many jobs have begun and not ended, and how many of them are being prepared."""
        is_full = (Job.state == JobState.PAUSED) & (Job.pause_code == "disk-full")
        query = (
            select(Job.state, func.count()).where(or_(Job.state.in_(_ACTIVE), is_full)).group_by(Job.state)
        )
        with self._session(reads_only=True) as session:
            counts: dict[str, int] = {row[0]: row[1] for row in session.execute(query)}
        return sum(counts.values()), counts.get(JobState.INDEXING, 0)

    def sharing_jobs(self) -> list[Job]:
        """Return the jobs that share the workers: rendering, or about to."""
        return self._all(
            select(Job).where(
                or_(Job.state.in_(CHUNKED_STATES), (Job.state == JobState.INDEXING) & (Job.num_frames > 0))
            )
        )

    def measured_jobs(self, engine: str, limit: int) -> list[Job]:
        """Return the newest jobs of an engine that have rendered chunks, newest first."""
        query = select(Job).where(Job.engine == engine, Job.num_paces > 0)
        return self._all(query.order_by(Job.created_at.desc()).limit(limit))
