"""A whole farm in one process, on memory stores and a clock that tests move: faults at any chosen moment.

The job store, the files, cutting, decoding, encoding and muxing are the real ones; only Redis, Celery and
time are stand-ins (the stores are held to the same contracts as Redis, in tests/contracts).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from broker.config import BrokerConfig
from broker.connect import Broker, memory_broker
from broker.heartbeats import WorkerBeat
from broker.messages import CheckSource, RenderChunk
from broker.queues import RENDER
from farm.advance import advance
from farm.bootstrap import Farm
from farm.config import FarmConfig
from farm.database import open_database
from farm.models import Job
from farm.requests import JobRequest
from farm.states import LIVE_JOB_STATES
from farm.store import JobStore
from farm.submit import submit
from tests.fakes import FakeClock
from workers.config import STUCK_S, WorkerConfig
from workers.keeper import Keeper
from workers.stuck import Patience
from workers.worker import Worker


@dataclass
class Mailbox:
    """Collects what is published, until a test delivers it, or does not."""

    messages: list[RenderChunk | CheckSource] = field(default_factory=list)
    sent_to: dict[tuple[int, int], str | None] = field(default_factory=dict)  # by chunk and attempt
    dropped: list[str] = field(default_factory=list)

    def render_chunk(self, message: RenderChunk, *, worker: str | None = None) -> None:
        self.messages.append(message)
        self.sent_to[message.index, message.attempt] = worker

    def drop_queue(self, worker: str) -> None:
        self.dropped.append(worker)

    def check_source(self, message: CheckSource) -> None:
        self.messages.append(message)

    def advance(self, job_id: str) -> None:
        pass

    def queue_length(self, queue: str) -> int:
        return len(self.messages) if queue == RENDER else 0


class Simulation:
    """A farm, its mailbox, and as many workers as a test names."""

    def __init__(
        self,
        home: Path,
        *,
        window_bytes: int = 64 * 2**20,
        num_workers: int = 1,
        database: Path | None = None,
    ) -> None:
        self.clock = FakeClock()
        config = BrokerConfig(window_bytes=window_bytes, part_bytes=min(2**16, window_bytes))
        self.mailbox = Mailbox()
        url = f"sqlite:///{database or home / 'farm.db'}"
        self.farm = Farm(
            config=FarmConfig(home=home, database_url=url),
            store=JobStore(open_database(url), now=self.clock.now_s),
            broker=memory_broker(config, self.clock),
            publisher=self.mailbox,  # type: ignore[arg-type]
            clock=self.clock,
            wall=self.clock.now_s,
        )
        self.num_workers = num_workers
        self.left: list[str] = []  # why workers left

    @property
    def broker(self) -> Broker:
        return self.farm.broker

    def submit(self, **request: object) -> str:
        return submit(self.farm, JobRequest(**request))  # type: ignore[arg-type]

    def job(self, job_id: str) -> Job:
        return self.farm.store.job(job_id)

    def worker(self, name: str = "w0") -> Worker:
        """Return a worker; its keeper renews nothing by itself, since time stands still."""
        keeper = Keeper(self.broker, self._beat(name), Patience(STUCK_S))
        return Worker(
            WorkerConfig(name=name, threads=1),
            self.broker,
            self.mailbox,
            keeper,
            self.clock,  # type: ignore[arg-type]
            leave=self.left.append,
        )

    def beat(self) -> None:
        """Let every worker say that it lives."""
        for number in range(self.num_workers):
            self.broker.heartbeats.beat(self._beat(f"w{number}"))

    def advance(self, job_id: str) -> None:
        self.beat()
        advance(self.farm, job_id)

    def deliver(self, position: int = 0, *, to: str = "w0") -> RenderChunk | CheckSource:
        """Hand one waiting message to a worker, which does what it says."""
        message = self.mailbox.messages.pop(position)
        worker = self.worker(to)
        if isinstance(message, RenderChunk):
            worker.render_chunk(message)
        else:
            worker.check_source(message)
        return message

    def die_in(self, position: int = 0) -> RenderChunk:
        """Let a worker take a chunk and die before it commits: the lease stays until it lapses."""
        message = self.mailbox.messages.pop(position)
        assert isinstance(message, RenderChunk)
        self.broker.leases.claim(message.job_id, message.index, message.attempt, "w-doomed")
        return message

    def run(self, job_id: str, *, pick: Callable[[int], int] = lambda _: 0, limit: int = 500) -> Job:
        """Advance and deliver until the job has ended."""
        for _ in range(limit):
            self.advance(job_id)
            if self.job(job_id).state not in LIVE_JOB_STATES:
                return self.job(job_id)
            if self.mailbox.messages:
                self.deliver(pick(len(self.mailbox.messages)))
            else:
                self.clock.sleep(3.0)
        raise AssertionError(f"job {job_id} is still {self.job(job_id).state}: {self.job(job_id).stage}")

    def is_clean(self, job_id: str) -> bool:
        """Say whether nothing of the job is left in the broker or in the farm's home."""
        return self.holds_nothing_in_redis(job_id) and not self.farm.config.job_directory(job_id).exists()

    def holds_nothing_in_redis(self, job_id: str) -> bool:
        """Say whether nothing of the job is left in the broker."""
        return (
            self.broker.segments.used_bytes() == 0
            and not self.broker.segments.names(job_id)
            and not self.broker.leases.offered(job_id)
            and not self.broker.leases.results(job_id)
        )

    def _beat(self, name: str) -> WorkerBeat:
        return WorkerBeat(
            worker=name, host="here", pid=1, device="cpu", engines=("passthrough",), state="ready"
        )
