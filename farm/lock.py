"""One process at a time moves a job on."""

from __future__ import annotations

import logging
import secrets
import threading
import time
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
    """A lock in Redis, kept for the block by a thread of its own.

    `is_held` says whether we got it; `owner` names its holder, and nobody else.

    Losing it (to a stall, or a Redis that was emptied) harms nothing: every change of state is
    compare-and-set, and `renew` says so before a file is touched.
    """

    def __init__(self, leases: LeaseTable, job_id: str) -> None:
        self._leases = leases
        self._job_id = job_id
        self.owner = secrets.token_hex(8)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="lock")
        self._guard = threading.Lock()
        self._ends_s = float("inf")  # on the monotonic clock: when it lapses, unless it is renewed
        self.is_held = False

    def __enter__(self) -> Self:
        self.is_held = self._extend()
        if self.is_held:
            self._thread.start()
        return self

    def renew(self) -> None:
        """Hold it for another term.

        Raises:
            StaleTransition: somebody else has it by now, or has had it; what they do, or did, must stand.
        """
        if not self._extend():
            raise StaleTransition(f"job {self._job_id} is moved on by somebody else")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_held:
            self._end.set()
            self._thread.join()
            self._leases.unlock_job(self._job_id, self.owner)

    def _keep(self) -> None:
        while not self._end.wait(RENEW_S):
            try:
                self._extend()
            except BrokerError as error:
                log.warning("lock not renewed: %s", error)

    def _extend(self) -> bool:
        """Take it, or hold it longer; lost once, it is lost for good, though it may be free again."""
        with self._guard:
            now_s = time.monotonic()
            is_mine = now_s < self._ends_s and self._leases.lock_job(self._job_id, self.owner, LOCK_S)
            self._ends_s = now_s + LOCK_S if is_mine else float("-inf")
        return is_mine
