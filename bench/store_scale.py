"""A job store with a million chunks: what one round of the reconciler takes, and what a list takes."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from sqlalchemy import insert

from bench.results import write
from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.connect import memory_broker
from broker.heartbeats import WorkerBeat
from farm.admission import MOST_PREPARING
from farm.advance import advance
from farm.bootstrap import Farm
from farm.cancel import cancel
from farm.config import FarmConfig
from farm.database import open_database
from farm.models import Chunk, Event, Job
from farm.states import ChunkState, JobState
from farm.steering.delete import delete
from farm.store import JobStore
from farm.views import job_view, job_views
from tests.farm.rows import TARGET
from tests.postgres import running_postgres

CHUNKS = 1_000_000
JOBS = 1000
FRAMES = 150
RUNS = 40
CLAIM = (
    "A store of a million chunks, all of one job (the worst case), half of them rendered, beside a thousand "
    "other jobs: milliseconds of one advance of that job with its workers busy, of finding the jobs that a "
    "round must look at, of one chunk's step with the job's sums, of `farm list` and `farm status`; then of "
    "canceling that job, cleaning up after it and deleting it with half a million events, and the longest "
    "that others wait for the database meanwhile. Aims: advance under 20, list under 100. Redis is a "
    "stand-in in memory, so that only the store is measured."
)


class Silence:
    """A publisher whose messages nobody needs here."""

    def advance(self, job_id: str) -> None:
        pass

    def render_chunk(self, message: object, *, worker: str | None = None) -> None:
        pass

    def queue_length(self, queue: str) -> int:
        del queue
        return 1


def main(clip: Path | None = None) -> None:
    """Measure both databases; write bench/results/store-scale.json."""
    del clip
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows = [_row("SQLite", f"sqlite:///{name}/farm.db", Path(name))]
        with running_postgres() as url:
            rows.append(_row("PostgreSQL", url, Path(name)))
    write("store-scale", CLAIM, rows)


def _row(title: str, url: str, home: Path) -> dict[str, Any]:
    engine = open_database(url)
    store = JobStore(engine)
    began = time.perf_counter()
    _fill(store)
    filled_s = time.perf_counter() - began
    farm = _farm(store, home, url)
    _occupy(farm)
    figures = {
        "database": title,
        "chunks": CHUNKS,
        "filled, s": filled_s,
        **_times("advance", lambda: advance(farm, "big")),
        **_times("due jobs", lambda: [*store.due_jobs(), *store.first_in_queue(MOST_PREPARING)]),
        **_times("chunk step", _steps(store)),
        **_times("list of 20", lambda: job_views(farm, 20)),
        **_times("list of 100", lambda: job_views(farm, 100)),
        **_times("status", lambda: job_view(farm, "big")),
        **_ends(farm),
    }
    engine.dispose()
    return figures


def _ends(farm: Farm) -> dict[str, float]:
    """Cancel the big job, let it be cleaned up, delete it; and see how long others wait for the database."""
    figures = {}
    steps = {
        "cancel": lambda: cancel(farm, "big"),
        "clean up after cancel": lambda: advance(farm, "big"),
        "delete": lambda: delete(farm, "big"),
    }
    for name, act in steps.items():
        with Bystander(farm.store) as bystander:
            began = time.perf_counter()
            act()
            figures[f"{name}, ms"] = 1000 * (time.perf_counter() - began)
        figures[f"others wait in {name}, ms max"] = bystander.longest_ms
    return figures


class Bystander:
    """Writes one small change after another to another job, and notes the longest that it had to wait."""

    def __init__(self, store: JobStore) -> None:
        self.longest_ms = 0.0
        self._store = store
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._end.wait(0.01):
            began = time.perf_counter()
            self._store.update_job("j1", stage="")
            self.longest_ms = max(self.longest_ms, 1000 * (time.perf_counter() - began))


def _times(name: str, act: Callable[[], object]) -> dict[str, float]:
    """Return the median and the longest of some runs, in milliseconds, but for the first, which warms up."""
    taken = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - began))
    return {f"{name}, ms": statistics.median(taken[1:]), f"{name} max": max(taken[1:])}


def _fill(store: JobStore) -> None:
    now = time.time()
    store.add_job(_job("big", now, JobState.RENDERING, rendering_at=now, last_offer_at=now))
    store.replace_chunks("big", _chunks())
    for first in range(0, CHUNKS // 2, 5000):
        store._write(insert(Event), [_event(index, now) for index in range(first, first + 5000)])  # noqa: SLF001
    store.update_job(
        "big", num_rendered=CHUNKS // 2, num_frames=CHUNKS * FRAMES, frames_rendered=CHUNKS // 2 * FRAMES
    )
    for number in range(JOBS):
        state = JobState.DONE if number % 2 else JobState.SUBMITTED
        store.add_job(_job(f"j{number}", now - number, state, cleaned=state == JobState.DONE))


def _chunks() -> Iterator[Chunk]:
    for index in range(CHUNKS):
        yield Chunk(
            job_id="big",
            index=index,
            start=index * FRAMES,
            end=(index + 1) * FRAMES,
            num_bytes=1_000_000,
            state=ChunkState.RENDERED if index < CHUNKS // 2 else ChunkState.PLANNED,
            attempt=0,
        )


def _event(index: int, now: float) -> dict[str, Any]:
    return {
        "job_id": "big",
        "chunk_index": index,
        "at": now,
        "old_state": "leased",
        "new_state": "rendered",
        "detail": "",
    }


def _job(job_id: str, created_at: float, state: JobState, **fields: Any) -> Job:
    return Job(
        id=job_id,
        created_at=created_at,
        state=state,
        input_path="/in.mp4",
        output_path="/out.mp4",
        engine="passthrough",
        request={"input": "/in.mp4", "output": "/out.mp4"},
        media={"size_bytes": 1},
        target=TARGET,
        chunk_seconds=5.0,
        notes=[],
        **fields,
    )


def _farm(store: JobStore, home: Path, url: str) -> Farm:
    clock = SystemClock()
    return Farm(
        config=FarmConfig(home=home, database_url=url),
        store=store,
        broker=memory_broker(BrokerConfig(lease_ttl_s=600.0, heartbeat_s=300.0), clock),
        publisher=Silence(),  # type: ignore[arg-type]
        clock=clock,
    )


def _occupy(farm: Farm) -> None:
    """Give four workers two chunks each, so that a round has offers, leases and shares to compare."""
    for number in range(4):
        farm.broker.heartbeats.beat(
            WorkerBeat(
                worker=f"w{number}",
                host="here",
                pid=1,
                device="cpu",
                engines=(),
                state="busy",
            )
        )
    for chunk in farm.store.ready_chunks("big", 8, time.time()):
        farm.store.move_chunk(chunk, ChunkState.OFFERED, attempt=1, offered_at=time.time())
        farm.broker.leases.offer("big", chunk.index, 1)
        farm.broker.leases.claim("big", chunk.index, 1, f"w{chunk.index % 4}")


def _steps(store: JobStore) -> Callable[[], object]:
    """Return what moves one more chunk; a chunk goes out and comes back, so that the sums stay."""

    def step() -> None:
        (chunk,) = store.chunks("big", {ChunkState.PLANNED}, limit=1)
        store.move_chunk(chunk, ChunkState.OFFERED, attempt=chunk.attempt + 1)
        (chunk,) = store.chunks("big", limit=1, after=chunk.index - 1)
        store.move_chunk(chunk, ChunkState.PLANNED)

    return step


if __name__ == "__main__":
    main()
