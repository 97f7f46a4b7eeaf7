"""The job store: the truth about every job, and the only module that opens a session.

A state changes by compare-and-set, along the tables of `farm.states`, with an event row in the same
transaction; whoever loses the race is told so by `StaleTransition` (jobs) or `False` (chunks).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, Select, case, func, select, update
from sqlalchemy.orm import Session

from farm.errors import JobNotFound, StaleTransition
from farm.models import Chunk, Event, Job
from farm.states import (
    CHUNK_TRANSITIONS,
    IN_FLIGHT,
    JOB_TRANSITIONS,
    LIVE_JOB_STATES,
    ChunkState,
    JobState,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChunkTotals:
    """Sums over a job's chunks."""

    num_chunks: int
    num_rendered: int
    frames_rendered: int
    frames_fused: int
    attempts: int


class JobStore:
    """Jobs, chunks and events in SQL. Rows that it returns are detached: change them through it."""

    def __init__(self, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._reader = engine.execution_options(reads_only=True)
        self._now = now

    def ping(self) -> None:
        """Ask the database one question; raises SQLAlchemy's error if it does not answer."""
        with self._session(reads_only=True) as session:
            session.execute(select(1))

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

    def jobs(self, limit: int = 100) -> list[Job]:
        """Return jobs, newest first."""
        return self._all(select(Job).order_by(Job.created_at.desc(), Job.id).limit(limit))

    def unfinished_jobs(self) -> list[Job]:
        """Return the jobs that the reconciler must look at, oldest first: live, or not yet cleaned."""
        wanted = Job.state.in_(LIVE_JOB_STATES) | Job.cleaned.is_(False)
        return self._all(select(Job).where(wanted).order_by(Job.created_at, Job.id))

    def move_job(self, job_id: str, old: JobState, new: JobState, **fields: object) -> None:
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
            session.add(self._event(job_id, old, new))
            session.commit()

    def update_job(self, job_id: str, **fields: object) -> None:
        """Set fields that are not its state."""
        with self._session() as session:
            session.execute(update(Job).where(Job.id == job_id).values(**fields))
            session.commit()

    def add_note(self, job_id: str, note: str) -> None:
        """Add a warning for the user, once."""
        with self._session() as session:
            job = session.get(Job, job_id)
            if job is not None and note not in job.notes:
                job.notes = [*job.notes, note]
                session.commit()

    def replace_chunks(self, job_id: str, chunks: Iterable[Chunk]) -> None:
        """Write the plan, in place of any older one."""
        with self._session() as session:
            session.query(Chunk).filter(Chunk.job_id == job_id).delete()
            session.add_all(chunks)
            session.commit()

    def chunks(
        self, job_id: str, states: Collection[ChunkState] | None = None, limit: int | None = None
    ) -> list[Chunk]:
        """Return a job's chunks in order, all or those in `states`."""
        query = select(Chunk).where(Chunk.job_id == job_id).order_by(Chunk.index).limit(limit)
        return self._all(query if states is None else query.where(Chunk.state.in_(states)))

    def move_chunk(self, chunk: Chunk, new: ChunkState, *, detail: str = "", **fields: object) -> bool:
        """Move a chunk on from the state and attempt in `chunk`; False if somebody else already did.

        Raises:
            StaleTransition: the table has no such step.
        """
        if new not in CHUNK_TRANSITIONS[ChunkState(chunk.state)]:
            raise StaleTransition(f"a chunk cannot go from {chunk.state} to {new}")
        expected = (
            Chunk.job_id == chunk.job_id,
            Chunk.index == chunk.index,
            Chunk.state == chunk.state,
            Chunk.attempt == chunk.attempt,
        )
        with self._session() as session:
            done = session.execute(update(Chunk).where(*expected).values(state=new, **fields))
            if done.rowcount != 1:  # type: ignore[attr-defined]
                return False
            session.add(self._event(chunk.job_id, chunk.state, new, chunk=chunk, detail=detail))
            session.commit()
        return True

    def cancel_chunks(self, job_id: str) -> None:
        """Mark every chunk of a canceled job."""
        with self._session() as session:
            session.execute(update(Chunk).where(Chunk.job_id == job_id).values(state=ChunkState.CANCELED))
            session.commit()

    def totals(self, job_id: str) -> ChunkTotals:
        """Return sums over a job's chunks."""
        rendered = Chunk.state == ChunkState.RENDERED
        query = select(
            func.count(),
            func.sum(case((rendered, 1), else_=0)),
            func.sum(case((rendered, Chunk.end - Chunk.start), else_=0)),
            func.sum(case((rendered, Chunk.num_fused), else_=0)),
            func.sum(Chunk.attempt),
        ).where(Chunk.job_id == job_id)
        with self._session(reads_only=True) as session:
            return ChunkTotals(*(int(value or 0) for value in session.execute(query).one()))

    def num_in_flight(self) -> int:
        """Return how many chunks of all jobs are offered or leased."""
        live = select(Job.id).where(Job.state == JobState.RENDERING)
        query = select(func.count()).where(Chunk.state.in_(IN_FLIGHT), Chunk.job_id.in_(live))
        with self._session(reads_only=True) as session:
            return session.execute(query).scalar_one()

    def num_rendering_jobs(self) -> int:
        """Return how many jobs share the workers now."""
        with self._session(reads_only=True) as session:
            return session.execute(select(func.count()).where(Job.state == JobState.RENDERING)).scalar_one()

    def events(self, job_id: str) -> list[Event]:
        """Return what happened to a job, oldest first."""
        return self._all(select(Event).where(Event.job_id == job_id).order_by(Event.id))

    def _event(
        self, job_id: str, old: str, new: str, *, chunk: Chunk | None = None, detail: str = ""
    ) -> Event:
        return Event(
            job_id=job_id,
            chunk_index=None if chunk is None else chunk.index,
            attempt=None if chunk is None else chunk.attempt,
            worker=None if chunk is None else chunk.worker,
            at=self._now(),
            old_state=old,
            new_state=new,
            detail=detail,
        )

    def _all(self, query: Select[T]) -> list[T]:
        with self._session(reads_only=True) as session:
            return list(session.scalars(query).all())

    def _session(self, *, reads_only: bool = False) -> Session:
        return Session(self._reader if reads_only else self._engine, expire_on_commit=False)
