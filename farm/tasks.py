"""The farm's Celery entry points: `celery -A farm.tasks worker -Q farm -P threads`.

A message only makes the reconciler look sooner: a ticker in this process looks at every unfinished job
anyway, so that a lost message costs one tick and nothing else.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from celery import bootsteps

from broker.app import app
from broker.config import BrokerConfig
from broker.errors import BrokerError
from broker.queues import FARM, TaskName
from farm.advance import advance, advance_all
from farm.bootstrap import Farm, open_farm
from farm.config import FarmConfig

log = logging.getLogger(__name__)


@functools.cache
def farm() -> Farm:
    """Return this process's farm, built at first use."""
    return open_farm(FarmConfig.from_environment(), BrokerConfig.from_environment())


@app.task(name=TaskName.ADVANCE)
def advance_task(job_id: str | None = None) -> None:
    """Move one job on, or all of them."""
    if job_id is None:
        advance_all(farm())
    else:
        advance(farm(), job_id)


class Ticker(bootsteps.StartStopStep):
    """Looks at every unfinished job, again and again, as long as the process lives."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def __init__(self, parent: Any, **options: Any) -> None:
        self._entry: Any = None
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        """Begin to tick, from a true count of what lies in Redis: it may be back from an older copy."""
        try:
            farm().broker.segments.recount()
        except BrokerError as error:
            log.warning("not counted: %s", error)
        self._entry = parent.timer.call_repeatedly(farm().config.tick_s, self._tick)

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Tick no more."""
        if self._entry is not None:
            self._entry.cancel()

    def _tick(self) -> None:
        try:
            # With ticks already waiting, another one would only wait behind them.
            if farm().publisher.queue_length(FARM) == 0 and farm().store.unfinished_jobs():
                farm().publisher.advance(None)
        except BrokerError as error:
            log.warning("no tick: %s", error)


app.steps["worker"].add(Ticker)
