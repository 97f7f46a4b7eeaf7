"""What a worker's parent process does: waits for Redis, passes on the wish to end, speaks for a dead child.

It never touches a device. Importing this module connects it to Celery's signals, which the child never gets.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from celery.worker import state

from broker.clock import Clock, SystemClock
from broker.config import BrokerConfig
from broker.connect import open_broker, ping
from broker.errors import BrokerUnreachable
from workers.config import WorkerConfig
from workers.health import LEFT
from workers.stderr_tail import StderrTail
from workers.witness import Child, Witness

#: Tells the child to hand back its chunk and take no more.
LEAVE = signal.SIGUSR2

#: Exit status of a worker that Ctrl-C ended, as shells have it: 128 + SIGINT.
INTERRUPTED = 130

#: Seconds between two looks at a Redis that does not answer.
LOOK_S = 0.5


class _Parent:
    """What the signals' receivers share."""

    def __init__(self) -> None:
        self.tail = StderrTail()
        self.worker: Any = None  # Celery's own, from its start
        self.witness: Witness | None = None
        self.is_interrupted = False


_parent = _Parent()


def wait_for_redis(config: BrokerConfig, clock: Clock) -> None:
    """Return when Redis answers; say once that it does not."""
    is_said = False
    while True:
        try:
            ping(config)
        except BrokerUnreachable:
            if not is_said:
                sys.stderr.write(f"waiting for Redis at {config.address}\n")
                sys.stderr.flush()
            is_said = True
            clock.sleep(LOOK_S)
        else:
            return


@worker_init.connect
def _begin(sender: Any = None, **_: object) -> None:
    _parent.worker = sender
    with _ending_quietly():
        wait_for_redis(BrokerConfig.from_environment(), SystemClock())
    _parent.tail.start()


@worker_ready.connect
def _watch(**_: object) -> None:
    name = WorkerConfig.from_environment().name
    broker = open_broker(BrokerConfig.from_environment())
    _parent.witness = Witness(name, broker, _parent.tail, _children, _follow)
    _parent.witness.start()


@worker_shutting_down.connect
def _pass_on(sig: str = "", **_: object) -> None:
    """Tell the child. Runs in a signal handler: no lock may be taken here."""
    _parent.is_interrupted = sig == "SIGINT"
    for child in _children():
        with suppress(ProcessLookupError):
            os.kill(child.pid, LEAVE)


@worker_shutdown.connect
def _end(sender: Any = None, **_: object) -> None:
    if _parent.witness is not None:
        _parent.witness.close()
    _parent.tail.stop()
    if _parent.is_interrupted:
        sender.exitcode = INTERRUPTED


def _follow(exitcode: int) -> None:
    """End this process as well when the one that renders has left for good: another would fare no better."""
    if exitcode == LEFT:
        state.should_stop = LEFT  # type: ignore[assignment]  # as Celery itself does


def _children() -> tuple[Child, ...]:
    """Return the pool's processes: one, or none while it is being replaced."""
    pool = getattr(_parent.worker, "pool", None)
    # Celery's own pool tells process ids alone, and whoever has only those misses the exit status.
    return () if pool is None or pool._pool is None else tuple(pool._pool._pool)  # noqa: SLF001


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """For the block, a signal ends the process without a trace: there is nothing to hand back yet."""
    before = {
        number: signal.signal(number, lambda *_, status=status: sys.exit(status))
        for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, INTERRUPTED))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
