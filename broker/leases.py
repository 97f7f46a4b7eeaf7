"""Who may render which attempt of which chunk, for how long, and what came of it.

The farm offers an attempt; one worker claims it and renews its lease while it renders; only the holder of
the current lease can commit. A holder that falls silent loses its lease by itself, and whatever it does
later is refused, because its token is no longer the current one (a fencing token: see M. Kleppmann, "How to
do distributed locking", 2016).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from broker.messages import ChunkFailed, ChunkRendered, SourceChecked

#: What a worker does with a chunk: render it, or wait until there is room for what it has rendered.
RENDERING, WAITING = "rendering", "waiting for room"

Result = ChunkRendered | ChunkFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A worker's right to one attempt. `token` is fresh with every claim."""

    job_id: str
    index: int
    attempt: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who renders a chunk now, and how far it is."""

    attempt: int
    worker: str
    num_frames: int  # done so far
    stage: (
        str  # "claimed" until the first renewal, then `RENDERING`, maybe with a part's number, or `WAITING`
    )
    still_s: float = field(default=0.0, compare=False)  # seconds since either of the last two changed


class LeaseTable(Protocol):
    """Offers, leases and results. Every method raises BrokerUnreachable when the table is away."""

    def offer(self, job_id: str, index: int, attempt: int) -> None:
        """Let this attempt run, and none other: theirs lose lease and result. Twice changes nothing."""

    def withdraw(self, job_id: str, index: int) -> None:
        """Take an offer back; whoever runs it loses the lease at the next renewal. A result stays."""

    def withdraw_job(self, job_id: str) -> None:
        """Take every offer of a job back, as `withdraw` does."""

    def offered(self, job_id: str) -> dict[int, int]:
        """Return the attempt that may run, by index."""

    def claim(self, job_id: str, index: int, attempt: int, worker: str) -> Lease:
        """Take an attempt.

        Raises:
            LeaseLost: it is not the offered one, somebody holds it, or it has a result already.
        """

    def held_by(self, job_id: str, index: int, worker: str) -> Lease | None:
        """Return the lease that this worker holds on a chunk, for whoever speaks for it after its death."""

    def renew(self, lease: Lease, *, num_frames: int, stage: str) -> None:
        """Keep a lease for another term, and say how far the work is.

        Raises:
            LeaseLost: it lapsed, was withdrawn, or another attempt was offered.
        """

    def commit(self, lease: Lease, result: Result) -> None:
        """Store the result and end the lease, both at once. The very same commit twice changes nothing.

        Raises:
            LeaseLost: it lapsed, was withdrawn, or another attempt was offered; nothing was stored.
        """

    def release(self, lease: Lease) -> None:
        """Hand back an unfinished attempt, so that another worker can claim it. Lost already is fine."""

    def results(self, job_id: str) -> dict[int, Result]:
        """Return the results that the farm has not forgotten yet, by index."""

    def forget(self, job_id: str, index: int) -> None:
        """Drop a chunk's result, offer and lease: the farm has taken what it needs."""

    def forget_job(self, job_id: str) -> None:
        """Drop all results, offers and leases of a job, whom it bars, and what was found in its source."""

    def holders(self, job_id: str) -> dict[int, Holder]:
        """Return who holds which chunk now, by index; chunks that nobody holds are left out."""

    def bar(self, job_id: str, workers: Collection[str]) -> None:
        """Say which workers may not have the job's chunks, in place of whom it was before."""

    def barred(self, job_id: str) -> frozenset[str]:
        """Return the workers that may not have the job's chunks: who gets one all the same passes it on."""

    def put_source_checked(self, message: SourceChecked) -> None:
        """Store what was found in a job's source, replacing what was."""

    def source_checked(self, job_id: str) -> SourceChecked | None:
        """Return what was found in a job's source, or None as long as nobody has looked."""

    def lock_job(self, job_id: str, owner: str, ttl_s: float) -> bool:
        """Take the right to move a job on, or keep it for another `ttl_s`; False: another owner has it.

        `owner` must be different for every thread that asks: the same owner always gets it.
        """

    def unlock_job(self, job_id: str, owner: str) -> None:
        """Give that right back, if it is still this owner's."""
