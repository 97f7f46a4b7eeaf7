"""Jobs in the store: written, moved, shown, deleted."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from farm.errors import JobNotFound, StaleTransition
from farm.models import Chunk, Event, Job, JobWorker
from farm.states import JOB_TRANSITIONS, JobState
from farm.store.counters import ChunkTotals
from farm.store.sessions import BATCH, Breathe, Sessions, not_at_all


class JobRows(Sessions):
    """What can be done with a job as a whole."""

    def add_job(self, job: Job) -> None:
        """Write a new job's row."""
        with self._session() as session:
            session.add(job)
            session.commit()

    def job(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            JobNotFound: there is none of that id.
        """
        with self._session(reads_only=True) as session:
            job = session.get(Job, job_id)
        if job is None:
            raise JobNotFound(f"no job {job_id!r}", hint="`farm list` shows the jobs there are")
        return job

    def is_still(self, job_id: str, state: JobState) -> bool:
        """Say whether a job is in this state, now."""
        with self._session(reads_only=True) as session:
            return session.scalar(select(Job.state).where(Job.id == job_id)) == state

    def jobs(self, limit: int = 100) -> list[Job]:
        """Return jobs, newest first."""
        return self._all(select(Job).order_by(Job.created_at.desc(), Job.id).limit(limit))

    def move_job(
        self, job_id: str, old: JobState, new: JobState, *, detail: str = "", **fields: object
    ) -> None:
        """Move a job along `JOB_TRANSITIONS`, and set `fields` with it.

        Raises:
            StaleTransition: it was not in `old`, or the table has no such step.
        """
        if new not in JOB_TRANSITIONS[old]:
            raise StaleTransition(f"a job cannot go from {old} to {new}")
        with self._session() as session:
            done = session.execute(
                update(Job).where(Job.id == job_id, Job.state == old).values(state=new, **fields)
            )
            if done.rowcount != 1:  # type: ignore[attr-defined]
                raise StaleTransition(f"job {job_id} is no longer {old}")
            session.add(self._event(job_id, old, new, detail=detail))
            session.commit()

    def update_job(self, job_id: str, **fields: object) -> None:
        """Set fields that are not its state."""
        with self._session() as session:
            session.execute(update(Job).where(Job.id == job_id).values(**fields))
            session.commit()

    def settle_job(self, job_id: str, state: JobState) -> None:
        """Note that a job holds nothing that it does not need, unless it has left `state` meanwhile."""
        with self._session() as session:
            session.execute(update(Job).where(Job.id == job_id, Job.state == state).values(cleaned=True))
            session.commit()

    def add_note(self, job_id: str, note: str) -> None:
        """Add a warning for the user, once."""
        with self._session() as session:
            job = session.get(Job, job_id)
            if job is not None and note not in job.notes:
                job.notes = [*job.notes, note]
                session.commit()

    def totals(self, job_id: str) -> ChunkTotals:
        """Return sums over a job's chunks.

        Raises:
            JobNotFound: there is none of that id.
        """
        return ChunkTotals.of(self.job(job_id))

    def events(self, job_id: str) -> list[Event]:
        """Return what happened to a job, oldest first."""
        return self._all(select(Event).where(Event.job_id == job_id).order_by(Event.id))

    def num_rows(self, job_id: str) -> dict[str, int]:
        """Return how many rows of each kind tell of a job, its own left out."""
        with self._session(reads_only=True) as session:
            return {
                kind.__tablename__: session.scalar(
                    select(func.count()).select_from(kind).where(kind.job_id == job_id)
                )
                or 0
                for kind in (Chunk, Event, JobWorker)
            }

    def delete_events(self, job_id: str, breathe: Breathe = not_at_all) -> None:
        """Delete a job's events, in many small transactions, and `breathe` between them."""
        some = select(Event.id).where(Event.job_id == job_id).limit(BATCH)
        while self._write(delete(Event).where(Event.id.in_(some))) == BATCH:
            breathe()

    def delete_job(self, job_id: str) -> None:
        """Delete a job, whose chunks and events are gone already."""
        with self._session() as session:
            for kind in (JobWorker, Event, Chunk):
                session.execute(delete(kind).where(kind.job_id == job_id))
            session.execute(delete(Job).where(Job.id == job_id))
            session.commit()
