"""What jobs have against workers: chunks that failed on them, and blocks."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from farm.models import JobWorker
from farm.states import JobState
from farm.store.sessions import Sessions

#: What a block's event says that the job went from, and to: workers are blocked in this state alone.
_STATE = JobState.RENDERING


class BlockRows(Sessions):
    """A row for each worker that a job has something against."""

    def note_failure(self, job_id: str, worker: str, index: int) -> int:
        """Note that a chunk failed on a worker; return how many different ones have by now."""
        with self._session() as session:
            row = self._row(session, job_id, worker)
            if index not in row.failed:
                row.failed = [*row.failed, index]
            session.commit()
            return len(row.failed)

    def block(self, job_id: str, worker: str, *, code: str, reason: str) -> None:
        """Keep the job's chunks from a worker. The first reason stays."""
        with self._session() as session:
            row = self._row(session, job_id, worker)
            if row.blocked_at is None:
                row.blocked_at, row.code, row.reason = self._now(), code, reason
                detail = f"blocked: {reason}"
                session.add(self._event(job_id, _STATE, _STATE, worker=worker, detail=detail))
            session.commit()

    def unblock(self, job_id: str, workers: Collection[str] | None = None) -> int:
        """Forget all that a job has against these workers, or against all; return how many rows went."""
        query = delete(JobWorker).where(JobWorker.job_id == job_id)
        if workers is not None:
            query = query.where(JobWorker.worker.in_(workers))
        with self._session() as session:
            num_rows: int = session.execute(query).rowcount  # type: ignore[attr-defined]
            session.commit()
        return num_rows

    def against(self, job_id: str) -> list[JobWorker]:
        """Return what a job has against workers, in order of their names."""
        return self._all(select(JobWorker).where(JobWorker.job_id == job_id).order_by(JobWorker.worker))

    def blocks(self, job_ids: Collection[str] | None = None) -> list[JobWorker]:
        """Return the blocks of these jobs, or of all, in order of jobs and workers."""
        query = select(JobWorker).where(JobWorker.blocked_at.is_not(None))
        if job_ids is not None:
            query = query.where(JobWorker.job_id.in_(job_ids))
        return self._all(query.order_by(JobWorker.job_id, JobWorker.worker))

    def note_presence(self, job_id: str, worker: str, gone_at: float | None) -> None:
        """Note since when a worker has been missed; None: it lives."""
        where = (JobWorker.job_id == job_id, JobWorker.worker == worker)
        with self._session() as session:
            session.execute(update(JobWorker).where(*where).values(gone_at=gone_at))
            session.commit()

    def _row(self, session: Session, job_id: str, worker: str) -> JobWorker:
        row = session.get(JobWorker, (job_id, worker))
        if row is None:
            row = JobWorker(job_id=job_id, worker=worker, failed=[])
            session.add(row)
        return row
