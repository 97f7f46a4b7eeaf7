"""Sees a worker's process die, and says so at once: the lease would take its time to lapse."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from broker.connect import Broker
from broker.errors import BrokerError
from broker.leases import Lease
from broker.messages import WORKER_DIED, ChunkFailed
from workers.stderr_tail import StderrTail

log = logging.getLogger(__name__)

#: How often the processes are looked at, in seconds. Celery itself looks every 5 s.
LOOK_S: Final = 0.2

#: Lines of the dead process's last words that travel with the report.
TAIL_LINES: Final = 40


class Child(Protocol):
    """A process that the watching one has started."""

    pid: int

    @property
    def exitcode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""


Children = Callable[[], Iterable[Child]]


class Witness:
    """Watches the processes that `children` names, in a thread of their parent."""

    def __init__(
        self,
        worker: str,
        broker: Broker,
        tail: StderrTail,
        children: Children,
        on_end: Callable[[int], None],
    ) -> None:
        """Watch `children`; `on_end` gets the exit status of each that ended, negative for a signal."""
        self._worker = worker
        self._broker = broker
        self._tail = tail
        self._children = children
        self._on_end = on_end
        self._living: dict[int, Child] = {}  # kept here: who dies is dropped from the others' lists at once
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="witness")

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        self._end.set()

    def _watch(self) -> None:
        while not self._end.wait(LOOK_S):
            dead = [child for child in self._living.values() if child.exitcode is not None]
            for child in dead:
                del self._living[child.pid]
                self._on_end(child.exitcode or 0)
                self._try_to_report(_cause(child.exitcode or 0))
            self._living |= {child.pid: child for child in self._children() if child.exitcode is None}

    def _try_to_report(self, cause: str) -> None:
        try:
            for lease in self._held():
                self._report(lease, cause)
        except BrokerError as error:
            log.warning("a death could not be reported, the lease will lapse: %s", error)

    def _held(self) -> Iterable[Lease]:
        """Yield the lease that the dead process still has; none if it was not at work."""
        for beat in self._broker.heartbeats.live():
            if beat.worker == self._worker and beat.job_id is not None and beat.index is not None:
                lease = self._broker.leases.held_by(beat.job_id, beat.index, self._worker)
                if lease is not None:
                    yield lease

    def _report(self, lease: Lease, cause: str) -> None:
        words = "\n".join(self._tail.text().splitlines()[-TAIL_LINES:])
        failed = ChunkFailed(
            job_id=lease.job_id,
            index=lease.index,
            attempt=lease.attempt,
            worker=self._worker,
            code=WORKER_DIED,
            message=f"the process that rendered ended by {cause}; its last words:\n{words}",
        )
        self._broker.leases.commit(lease, failed)


def _cause(exitcode: int) -> str:
    return signal.Signals(-exitcode).name if exitcode < 0 else f"exit status {exitcode}"
