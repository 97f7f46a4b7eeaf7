"""One process at a time moves a job on."""

from __future__ import annotations

import logging
import secrets
import threading
from types import TracebackType
from typing import Self

from broker.errors import BrokerError
from broker.leases import LeaseTable
from farm.errors import StaleTransition

log = logging.getLogger(__name__)

#: How long a job stays locked after its holder died: what a killed reconciler, or a Redis that came back
#: from its log with the lock of a moment ago, costs a job.
LOCK_S = 6.0

#: How often a thread of the holder's renews it, in seconds: three may fail before it lapses.
RENEW_S = 1.5


class JobLock:
    """A lock in Redis, kept for the block by a thread of its own; `is_held` says whether we got it.

    Losing it (to a stall, or a Redis that was emptied) harms nothing: every change of state is
    compare-and-set, and `renew` says so before a file is touched.
    """

    def __init__(self, leases: LeaseTable, job_id: str) -> None:
        self._leases = leases
        self._job_id = job_id
        self._owner = secrets.token_hex(8)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="lock")
        self.is_held = False

    def __enter__(self) -> Self:
        self.is_held = self._leases.lock_job(self._job_id, self._owner, LOCK_S)
        if self.is_held:
            self._thread.start()
        return self

    def renew(self) -> None:
        """Hold it for another term.

        Raises:
            StaleTransition: somebody else has it by now; what they do must not be disturbed.
        """
        if not self._leases.lock_job(self._job_id, self._owner, LOCK_S):
            raise StaleTransition(f"job {self._job_id} is moved on by somebody else")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_held:
            self._end.set()
            self._thread.join()
            self._leases.unlock_job(self._job_id, self._owner)

    def _keep(self) -> None:
        while not self._end.wait(RENEW_S):
            try:
                self._leases.lock_job(self._job_id, self._owner, LOCK_S)
            except BrokerError as error:
                log.warning("lock not renewed: %s", error)
