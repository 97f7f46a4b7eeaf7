"""The farm's Celery entry points: `celery -A farm.tasks worker -Q farm -P threads`.

A message only makes the reconciler look sooner: a ticker in this process looks at every unfinished job
anyway, so that a lost message costs one tick and nothing else.
"""

from __future__ import annotations

import functools
from typing import Any

from celery import bootsteps

from broker.app import app
from broker.config import BrokerConfig
from broker.queues import TaskName
from farm.advance import advance
from farm.bootstrap import Farm, open_farm
from farm.config import FarmConfig
from farm.rounds import Rounds


@functools.cache
def farm() -> Farm:
    """Return this process's farm, built at first use."""
    return open_farm(FarmConfig.from_environment(), BrokerConfig.from_environment())


@app.task(name=TaskName.ADVANCE)
def advance_task(job_id: str) -> None:
    """Move one job on."""
    advance(farm(), job_id)


class Ticker(bootsteps.StartStopStep):
    """Looks at every unfinished job, again and again, as long as the process lives.

    Threads of this process do it, not messages: a tick must not depend on what it is there to repair.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        self._rounds = Rounds(farm, advance)
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Begin to tick."""
        self._rounds.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Tick no more."""
        self._rounds.stop()


app.steps["worker"].add(Ticker)
