"""What every part of the store stands on: sessions, and the row that tells of a change."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, Executable, Select, select
from sqlalchemy.orm import Session

from farm.models import Chunk, Event

T = TypeVar("T")

#: Rows written or read at a time: few statements, little memory for the longest video, and a lock that nobody
#: notices.
BATCH = 5000

#: What is done between two of many transactions, so that others get at the database: SQLite's busy handler
#: asks for its lock ten times a second at most, and would else find it taken again and again.
Breathe = Callable[[], None]


def not_at_all() -> None:
    """Do nothing: nobody else is there."""


class Sessions:
    """A database and a clock in Unix seconds."""

    def __init__(self, engine: Engine, now: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._reader = engine.execution_options(reads_only=True)
        self._now = now

    def ping(self) -> None:
        """Ask the database one question; raises SQLAlchemy's error if it does not answer."""
        with self._session(reads_only=True) as session:
            session.execute(select(1))

    def _event(
        self,
        job_id: str,
        old: str,
        new: str,
        *,
        chunk: Chunk | None = None,
        worker: str | None = None,
        detail: str = "",
    ) -> Event:
        return Event(
            job_id=job_id,
            chunk_index=None if chunk is None else chunk.index,
            attempt=None if chunk is None else chunk.attempt,
            worker=worker if chunk is None else chunk.worker,
            at=self._now(),
            old_state=old,
            new_state=new,
            detail=detail,
        )

    def _write(self, statement: Executable, rows: list[dict[str, Any]] | None = None) -> int:
        """Run one statement in a transaction of its own; return how many rows it changed (of `rows`: 0)."""
        with self._session() as session:
            done = session.execute(statement, rows) if rows else session.execute(statement)
            session.commit()
        return 0 if rows else int(done.rowcount)  # type: ignore[attr-defined]

    def _all(self, query: Select[T]) -> list[T]:
        with self._session(reads_only=True) as session:
            return list(session.scalars(query).all())

    def _session(self, *, reads_only: bool = False) -> Session:
        return Session(self._reader if reads_only else self._engine, expire_on_commit=False)
