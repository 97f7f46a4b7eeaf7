"""Chunks in the store: planned, moved, found."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from farm.errors import StaleTransition
from farm.models import Chunk, Job
from farm.states import CHUNK_TRANSITIONS, IN_FLIGHT, WAITING, ChunkState
from farm.store.counters import ZEROS, changes
from farm.store.sessions import BATCH, Breathe, Sessions, not_at_all

#: The longest that a chunk waits for another attempt, in seconds: what ails a farm is over by then, or stays.
LONGEST_PAUSE_S = 60.0

#: What a chunk's row says before the chunk has moved, its attempts apart.
_UNTOUCHED: dict[str, Any] = {
    "state": ChunkState.PLANNED,
    "failures": 0,
    "worker": None,
    "offered_at": None,
    "not_before": 0.0,
    "num_fused": 0,
    "render_s": None,
    "failed_on": None,
    "error": None,
}


class ChunkRows(Sessions):
    """What can be done with a job's chunks."""

    def replace_chunks(self, job_id: str, chunks: Iterable[Chunk], breathe: Breathe = not_at_all) -> None:
        """Write the plan, in place of any older one.

        In many small transactions, since others must write, too: until the last, the job has no chunks, and
        whatever a crash leaves is replaced when it is planned again.
        """
        self.delete_chunks(job_id, breathe)
        rows = iter(chunks)
        num_chunks = 0
        while batch := [_values(chunk) for chunk in itertools.islice(rows, BATCH)]:
            self._write(insert(Chunk), batch)
            num_chunks += len(batch)
            if len(batch) == BATCH:
                breathe()
        self._write(update(Job).where(Job.id == job_id).values(num_chunks=num_chunks, **ZEROS))

    def plan_again(self, job_id: str, breathe: Breathe = not_at_all) -> None:
        """Let every chunk be done once more, with attempts that follow those it had.

        In many small transactions, and no row is ever missing: after a crash, this is called again.
        """
        for first in range(0, self._num_indexes(job_id), BATCH):
            if first:
                breathe()
            where = (Chunk.job_id == job_id, Chunk.index >= first, Chunk.index < first + BATCH)
            self._write(update(Chunk).where(*where).values(**_UNTOUCHED))
        self._write(update(Job).where(Job.id == job_id).values(**ZEROS))

    def delete_chunks(self, job_id: str, breathe: Breathe = not_at_all) -> None:
        """Delete a job's chunks, in many small transactions, and `breathe` between them."""
        for first in range(0, self._num_indexes(job_id), BATCH):
            if first:
                breathe()
            self._write(delete(Chunk).where(Chunk.job_id == job_id, Chunk.index < first + BATCH))

    def chunks(
        self,
        job_id: str,
        states: Collection[ChunkState] | None = None,
        limit: int | None = None,
        after: int = -1,
    ) -> list[Chunk]:
        """Return a job's chunks in order, all or those in `states`, those after the index `after`."""
        query = select(Chunk).where(Chunk.job_id == job_id, Chunk.index > after)
        query = query.order_by(Chunk.index).limit(limit)
        if states is None:
            return self._all(query)
        # One query a state: together they would have to be sorted, and of a long job they are many.
        found = (self._all(query.where(Chunk.state == state)) for state in sorted(states))
        return sorted(itertools.chain.from_iterable(found), key=lambda chunk: chunk.index)[:limit]

    def chunk(self, job_id: str, index: int) -> Chunk:
        """Return one chunk, which is there."""
        return self.chunks(job_id, limit=1, after=index - 1)[0]

    def recent_paces(self, job_id: str, limit: int) -> list[float]:
        """Return seconds per frame of the rendered chunks of the highest indexes, at most `limit`."""
        query = (
            select(Chunk)
            .where(Chunk.job_id == job_id, Chunk.state == ChunkState.RENDERED)
            .order_by(Chunk.index.desc())
            .limit(limit)
        )
        found = ((chunk.render_s, chunk.end - chunk.start) for chunk in self._all(query))
        return [render_s / num_frames for render_s, num_frames in found if render_s is not None]

    def all_chunks(self, job_id: str) -> Iterator[Chunk]:
        """Yield a job's chunks in order, a batch in memory at a time."""
        after = -1
        while batch := self.chunks(job_id, limit=BATCH, after=after):
            yield from batch
            after = batch[-1].index

    def ready_chunks(self, job_id: str, limit: int, now: float) -> list[Chunk]:
        """Return the first chunks, in order, that may be offered at `now`."""
        # A time further away than any pause was written before the clock was set back.
        is_due = or_(Chunk.not_before <= now, Chunk.not_before > now + LONGEST_PAUSE_S)
        query = select(Chunk).where(Chunk.job_id == job_id, is_due)
        query = query.order_by(Chunk.index).limit(limit)
        found = (self._all(query.where(Chunk.state == state)) for state in sorted(WAITING))
        return sorted(itertools.chain.from_iterable(found), key=lambda chunk: chunk.index)[:limit]

    def move_chunk(
        self, chunk: Chunk, new: ChunkState, *, detail: str = "", output_bytes: int = 0, **fields: Any
    ) -> bool:
        """Move a chunk on from the state and attempt in `chunk`; False if somebody else already did.

        The job's sums are moved with it. `output_bytes` is the size of what was rendered.

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
            if sums := self._sums(chunk, new, fields, output_bytes):
                session.execute(update(Job).where(Job.id == chunk.job_id).values(**sums))
            session.add(self._event(chunk.job_id, chunk.state, new, chunk=chunk, detail=detail))
            session.commit()
        return True

    def note_offer(self, chunk: Chunk, at: float, worker: str | None) -> None:
        """Note that an offer was sent again, at `at` in Unix seconds, to `worker` or to all."""
        where = (Chunk.job_id == chunk.job_id, Chunk.index == chunk.index, Chunk.attempt == chunk.attempt)
        with self._session() as session:
            session.execute(update(Chunk).where(*where).values(offered_at=at, worker=worker))
            session.commit()

    def retry_chunks(self, job_id: str) -> int:
        """Let every chunk that failed be tried anew, with no failure to its name; return how many."""
        again = (ChunkState.FAILED, ChunkState.SOFT_FAILED)
        with self._session() as session:
            events = [
                self._event(job_id, chunk.state, ChunkState.PLANNED, chunk=chunk, detail="retry")
                for chunk in self.chunks(job_id, again)
            ]
            session.execute(
                update(Chunk)
                .where(Chunk.job_id == job_id, or_(*(Chunk.state == state for state in again)))
                .values(state=ChunkState.PLANNED, failures=0, not_before=0.0, failed_on=None)
            )
            session.execute(update(Job).where(Job.id == job_id).values(num_failed=0))
            session.add_all(events)
            session.commit()
        return len(events)

    def cancel_chunks(self, job_id: str, breathe: Breathe = not_at_all) -> None:
        """Mark every chunk of a canceled job, in many small transactions, and `breathe` between them."""
        for first in range(0, self._num_indexes(job_id), BATCH):
            if first:
                breathe()
            these = (Chunk.job_id == job_id, Chunk.index >= first, Chunk.index < first + BATCH)
            self._write(update(Chunk).where(*these).values(state=ChunkState.CANCELED))
        self._write(update(Job).where(Job.id == job_id).values(num_in_flight=0))

    def in_flight(self, job_id: str) -> list[Chunk]:
        """Return the chunks that a worker has, or may take at any moment."""
        return self.chunks(job_id, IN_FLIGHT)

    def _num_indexes(self, job_id: str) -> int:
        with self._session(reads_only=True) as session:
            last = session.scalar(select(func.max(Chunk.index)).where(Chunk.job_id == job_id))
        return 0 if last is None else last + 1

    def _sums(
        self, chunk: Chunk, new: ChunkState, fields: dict[str, Any], output_bytes: int
    ) -> dict[str, Any]:
        added = changes(chunk, new, fields, output_bytes)
        values = {name: getattr(Job, name) + number for name, number in added.items()}
        if new == ChunkState.OFFERED:
            values["last_offer_at"] = self._now()
        return values


def _values(chunk: Chunk) -> dict[str, Any]:
    return {
        "job_id": chunk.job_id,
        "index": chunk.index,
        "start": chunk.start,
        "end": chunk.end,
        "num_bytes": chunk.num_bytes,
        "state": chunk.state or ChunkState.PLANNED,
        "attempt": chunk.attempt or 0,
        "failures": 0,
        "not_before": 0.0,
        "num_fused": 0,
    }
