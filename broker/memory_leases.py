"""Leases in memory, for tests and one-process runs: the same contract as in Redis."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from broker.clock import Clock
from broker.errors import LeaseLost
from broker.leases import Holder, Lease, Result
from broker.messages import SourceChecked


@dataclass(slots=True)
class _Held:
    """A lease in force until `ends_s`, on the table's clock."""

    lease: Lease
    holder: Holder
    ends_s: float
    moved_s: float  # when it last came further


@dataclass(slots=True)
class _Job:
    """What the table knows of one job, by chunk index."""

    offers: dict[int, int] = field(default_factory=dict)
    held: dict[int, _Held] = field(default_factory=dict)
    results: dict[int, Result] = field(default_factory=dict)


class MemoryLeaseTable:
    """See `LeaseTable`. Safe to share between threads; terms run on `clock`."""

    def __init__(self, clock: Clock, *, lease_ttl_s: float) -> None:
        self._clock = clock
        self._lease_ttl_s = lease_ttl_s
        self._mutex = threading.Lock()
        self._jobs: defaultdict[str, _Job] = defaultdict(_Job)
        self._sources: dict[str, SourceChecked] = {}
        self._barred: dict[str, frozenset[str]] = {}
        self._locks: dict[str, tuple[str, float]] = {}  # owner, end on the clock

    def offer(self, job_id: str, index: int, attempt: int) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            job = self._jobs[job_id]
            if job.offers.get(index) != attempt:
                job.held.pop(index, None)
                job.results.pop(index, None)
                job.offers[index] = attempt

    def withdraw(self, job_id: str, index: int) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            self._jobs[job_id].offers.pop(index, None)
            self._jobs[job_id].held.pop(index, None)

    def withdraw_job(self, job_id: str) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            self._jobs[job_id] = _Job(results=self._jobs[job_id].results)

    def offered(self, job_id: str) -> dict[int, int]:
        """See `LeaseTable`."""
        with self._mutex:
            return dict(self._jobs[job_id].offers)

    def claim(self, job_id: str, index: int, attempt: int, worker: str) -> Lease:
        """See `LeaseTable`."""
        with self._mutex:
            job = self._jobs[job_id]
            is_free = self._held(job, index) is None and index not in job.results
            if job.offers.get(index) != attempt or not is_free:
                raise LeaseLost(job_id, index, attempt)
            lease = Lease(job_id=job_id, index=index, attempt=attempt, token=uuid.uuid4().hex)
            holder = Holder(attempt=attempt, worker=worker, num_frames=0, stage="claimed")
            job.held[index] = _Held(
                lease, holder, self._clock.now_s() + self._lease_ttl_s, self._clock.now_s()
            )
            return lease

    def held_by(self, job_id: str, index: int, worker: str) -> Lease | None:
        """See `LeaseTable`."""
        with self._mutex:
            held = self._held(self._jobs[job_id], index)
            return held.lease if held is not None and held.holder.worker == worker else None

    def renew(self, lease: Lease, *, num_frames: int, stage: str) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            held = self._held_by(lease)
            held.ends_s = self._clock.now_s() + self._lease_ttl_s
            if (num_frames, stage) != (held.holder.num_frames, held.holder.stage):
                held.moved_s = self._clock.now_s()
            held.holder = Holder(
                attempt=lease.attempt, worker=held.holder.worker, num_frames=num_frames, stage=stage
            )

    def commit(self, lease: Lease, result: Result) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            job = self._jobs[lease.job_id]
            is_offered = job.offers.get(lease.index) == lease.attempt
            if is_offered and job.results.get(lease.index) == result:
                return
            self._held_by(lease)
            del job.held[lease.index]
            job.results[lease.index] = result

    def release(self, lease: Lease) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            job = self._jobs[lease.job_id]
            held = self._held(job, lease.index)
            if held is not None and held.lease == lease:
                del job.held[lease.index]

    def results(self, job_id: str) -> dict[int, Result]:
        """See `LeaseTable`."""
        with self._mutex:
            return dict(self._jobs[job_id].results)

    def forget(self, job_id: str, index: int) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            job = self._jobs[job_id]
            for values in (job.offers, job.held, job.results):
                values.pop(index, None)

    def forget_job(self, job_id: str) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            self._jobs.pop(job_id, None)
            self._sources.pop(job_id, None)
            self._barred.pop(job_id, None)

    def holders(self, job_id: str) -> dict[int, Holder]:
        """See `LeaseTable`."""
        with self._mutex:
            job = self._jobs[job_id]
            held = {index: self._held(job, index) for index in sorted(job.offers)}
            now_s = self._clock.now_s()
            return {
                index: dataclasses.replace(one.holder, still_s=now_s - one.moved_s)
                for index, one in held.items()
                if one is not None
            }

    def bar(self, job_id: str, workers: Collection[str]) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            self._barred[job_id] = frozenset(workers)

    def barred(self, job_id: str) -> frozenset[str]:
        """See `LeaseTable`."""
        with self._mutex:
            return self._barred.get(job_id, frozenset())

    def put_source_checked(self, message: SourceChecked) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            self._sources[message.job_id] = message

    def source_checked(self, job_id: str) -> SourceChecked | None:
        """See `LeaseTable`."""
        with self._mutex:
            return self._sources.get(job_id)

    def lock_job(self, job_id: str, owner: str, ttl_s: float) -> bool:
        """See `LeaseTable`."""
        with self._mutex:
            now_s = self._clock.now_s()
            holder, ends_s = self._locks.get(job_id, (owner, now_s))
            if holder != owner and now_s < ends_s:
                return False
            self._locks[job_id] = (owner, now_s + ttl_s)
            return True

    def unlock_job(self, job_id: str, owner: str) -> None:
        """See `LeaseTable`."""
        with self._mutex:
            if self._locks.get(job_id, ("", 0.0))[0] == owner:
                del self._locks[job_id]

    def _held(self, job: _Job, index: int) -> _Held | None:
        held = job.held.get(index)
        return held if held is not None and self._clock.now_s() < held.ends_s else None

    def _held_by(self, lease: Lease) -> _Held:
        job = self._jobs[lease.job_id]
        held = self._held(job, lease.index)
        if held is None or held.lease != lease or job.offers.get(lease.index) != lease.attempt:
            raise LeaseLost(lease.job_id, lease.index, lease.attempt)
        return held
