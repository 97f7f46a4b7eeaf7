"""The workers' Celery entry points: `celery -A workers.tasks worker -Q render -c 1`.

Nothing heavy is imported here: the parent process only talks to Redis. The child that the spawn pool
starts builds the worker, so that a device is first touched by the process that owns it.
"""

from __future__ import annotations

import faulthandler
import importlib.metadata
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from celery.signals import worker_process_init, worker_process_shutdown
from kombu import Exchange, Queue

from broker.app import app
from broker.messages import CheckSource, RenderChunk
from broker.queues import RENDER, TaskName, personal_queue
from workers.config import WorkerConfig
from workers.dying import die_with_parent
from workers.health import LEFT
from workers.parent import LEAVE
from workers.stderr_tail import STDERR

if TYPE_CHECKING:
    from workers.keeper import Keeper
    from workers.worker import Worker

log = logging.getLogger(__name__)

# By default each queue gets an exchange of its name, whose bindings stay in Redis: one for each worker that
# ever was.
app.conf.task_queues = [
    Queue(name, Exchange(RENDER)) for name in (RENDER, personal_queue(WorkerConfig.from_environment().name))
]

_worker: Worker | None = None
_keeper: Keeper | None = None


@app.task(name=TaskName.RENDER_CHUNK)
def render_chunk(message: dict[str, Any]) -> None:
    """Render one chunk."""
    assert _worker is not None
    _worker.render_chunk(RenderChunk.from_json(message))


@app.task(name=TaskName.CHECK_SOURCE)
def check_source(message: dict[str, Any]) -> None:
    """Look at a job's source portrait."""
    assert _worker is not None
    _worker.check_source(CheckSource.from_json(message))


@worker_process_init.connect
def _start(**_: object) -> None:
    """Build this process's worker, in the pool's child."""
    global _worker, _keeper  # noqa: PLW0603 - tasks are functions: their state is the module's
    # Blocked before any other thread exists: each inherits that, and `_leave_when_told` alone takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {LEAVE})
    die_with_parent(os.getppid())
    # A crash in native code leaves its place among the last words.
    faulthandler.enable(file=STDERR, all_threads=False)
    from broker.clock import SystemClock
    from broker.config import BrokerConfig
    from broker.connect import open_broker
    from broker.publish import Publisher
    from workers.keeper import Keeper, first_beat
    from workers.stuck import Patience
    from workers.worker import Worker

    config = WorkerConfig.from_environment()
    broker = open_broker(BrokerConfig.from_environment())
    version = importlib.metadata.version("face-fusion-farm")
    _keeper = Keeper(broker, first_beat(config.name, config.device, version), Patience(config.stuck_s))
    _keeper.start()
    _worker = Worker(config, broker, Publisher(app), _keeper, SystemClock(), leave=_leave_for_good)
    threading.Thread(target=_leave_when_told, args=(_keeper,), daemon=True, name="leave").start()
    _worker.warm()


def _leave_when_told(keeper: Keeper) -> None:
    signal.sigwait({LEAVE})
    keeper.leave()


def _leave_for_good(reason: str) -> None:
    """End this process, whose device no call can be trusted with: not even to let go of it."""
    name = WorkerConfig.from_environment().name
    sys.stderr.write(
        f"error: worker {name} leaves the farm: {reason}\n"
        "hint: nvidia-smi and the kernel's log (Xid) say more of a device; then start the worker again\n"
    )
    sys.stderr.flush()
    os._exit(LEFT)


@worker_process_shutdown.connect
def _stop(**_: object) -> None:
    """Tell the farm that this worker leaves."""
    if _keeper is not None:
        _keeper.close()
