"""The timer of the reconciler: every job under way is looked at twice a second, several at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from broker.errors import BrokerError, LogUnwritable
from farm import disk
from farm.admission import MOST_PREPARING
from farm.bootstrap import Farm
from farm.steering.pause import pause_for_redis

log = logging.getLogger(__name__)

#: Jobs looked at together. A long step (indexing, stitching) of some must not hold up the others: of so many,
#: no more than `MOST_PREPARING` index at once.
NUM_THREADS = 8


class Rounds:
    """Goes round the jobs under way, and those next in the queue, in threads, until it is stopped."""

    def __init__(self, farm: Callable[[], Farm], advance: Callable[[Farm, str], None]) -> None:
        self._farm = farm
        self._advance = advance
        self._end = threading.Event()
        self._busy: set[str] = set()
        self._pool = ThreadPoolExecutor(NUM_THREADS, thread_name_prefix="advance")
        self._thread = threading.Thread(target=self._run, daemon=True, name="rounds")

    def start(self) -> None:
        """Begin, from a true count of what lies in Redis: it may be back from an older copy."""
        self._thread.start()

    def stop(self) -> None:
        """End after the steps that are under way; they are short, or safe to cut off."""
        self._end.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        self._try(self._recount)
        while not self._end.wait(self._farm().config.tick_s):
            self._try(self._farm().broker.presence.was_away)  # asked without fail, for `reap` to know of gaps
            self._try(self._look)

    def _recount(self) -> None:
        self._farm().broker.segments.recount()

    def _look(self) -> None:
        disk.tend_spare(self._farm().config.home)
        store = self._farm().store
        for job_id in [*store.due_jobs(), *store.first_in_queue(MOST_PREPARING)]:
            if job_id not in self._busy:
                self._busy.add(job_id)
                self._pool.submit(self._step, job_id)

    def _step(self, job_id: str) -> None:
        try:
            self._try(lambda: self._move(job_id))
        finally:
            self._busy.discard(job_id)

    def _move(self, job_id: str) -> None:
        try:
            self._advance(self._farm(), job_id)
        except LogUnwritable:
            pause_for_redis(self._farm(), job_id)
            raise

    def _try(self, step: Callable[[], object]) -> None:
        """Run a step; Redis or the database may be away for a while, and the next round tries again."""
        try:
            step()
        except (BrokerError, SQLAlchemyError, RuntimeError) as error:
            log.warning("this round failed, the next one tries again: %s", error)
        except Exception:
            log.exception("a step crashed")
