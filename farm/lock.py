"""One process at a time moves a job on."""

from __future__ import annotations

import secrets
from types import TracebackType
from typing import Self

from broker.leases import LeaseTable

#: How long a job stays locked after its holder died. Holders renew as they go; a minute covers the longest
#: stretch between two renewals (a slow disk's worth of one chunk) many times over.
LOCK_S = 60.0


class JobLock:
    """A lock in Redis, let go at the end of the block; `is_held` says whether we got it.

    Losing it (to a stall of a minute) harms nothing: every change of state is compare-and-set.
    """

    def __init__(self, leases: LeaseTable, job_id: str) -> None:
        self._leases = leases
        self._job_id = job_id
        self._owner = secrets.token_hex(8)
        self.is_held = False

    def __enter__(self) -> Self:
        self.is_held = self._leases.lock_job(self._job_id, self._owner, LOCK_S)
        return self

    def renew(self) -> None:
        """Hold it for another minute."""
        self._leases.lock_job(self._job_id, self._owner, LOCK_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_held:
            self._leases.unlock_job(self._job_id, self._owner)
