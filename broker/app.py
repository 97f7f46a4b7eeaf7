"""The Celery application that farm and workers share. It imports no task: tasks import it.

Messages are hints; leases decide who renders what. Hence a message is acknowledged as soon as it is taken,
and losing one, or getting it twice, costs a little time and nothing else.
"""

from __future__ import annotations

import functools
from typing import Any

from celery import Celery

from broker.config import BrokerConfig
from broker.connect import HEALTH_CHECK_S
from broker.keys import Keys
from broker.queues import FARM, QUEUE_OF

#: Seconds that a freshly started pool process may take until it answers. It imports torch and warms its
#: models first; Celery's own 4 seconds would kill it on the way.
POOL_START_S = 120.0

#: Seconds that a worker leaves its task, when told to quit (SIGQUIT), to hand the chunk back. SIGTERM lets
#: the task finish.
SOFT_SHUTDOWN_S = 10.0

#: How publishing is tried again, pauses in seconds: over a hiccup, then the caller is told.
PUBLISH_RETRY = {"max_retries": 2, "interval_start": 0.05, "interval_step": 0.2, "interval_max": 0.5}


def make_app(config: BrokerConfig) -> Celery:
    """Return an application set up for this farm. Does not connect."""
    app = Celery("farm", set_as_current=False)
    app.conf.update(settings(config))
    return app


def settings(config: BrokerConfig) -> dict[str, Any]:
    """Return Celery's settings (its own names) for this farm."""
    return {
        "broker_url": _kombu_url(config.redis_url),
        "broker_transport_options": _transport_options(config),
        "broker_connection_retry_on_startup": True,
        # None: try for ever. A worker that gives up on Redis needs an operator; one that waits does not.
        "broker_connection_max_retries": None,
        "visibility_timeout": config.visibility_timeout_s,
        # Nobody reads results: the farm's store is the truth, and workers report through the lease table.
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": False,
        # Pickle would let whoever can write to Redis run code on every machine of the farm.
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": FARM,
        "task_routes": {task.value: {"queue": queue} for task, queue in QUEUE_OF.items()},
        "task_publish_retry_policy": PUBLISH_RETRY,
        # A chunk that waits in a busy worker's memory is one that an idle worker cannot take.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        # CUDA does not survive a fork.
        "worker_pool": "prefork",
        "worker_pool_start_method": "spawn",
        "worker_proc_alive_timeout": POOL_START_S,
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_S,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        # Flower shows what these events say.
        "worker_send_task_events": True,
        "task_send_sent_event": True,
    }


def _transport_options(config: BrokerConfig) -> dict[str, Any]:
    return {
        "visibility_timeout": config.visibility_timeout_s,
        "global_keyprefix": Keys(config.namespace).celery_prefix,
        "health_check_interval": HEALTH_CHECK_S,
        "socket_keepalive": True,
        "socket_timeout": config.socket_timeout_s,
        "socket_connect_timeout": config.socket_timeout_s,
        "retry_on_timeout": True,
    }


def _kombu_url(redis_url: str) -> str:
    """Return the URL as Celery's transport spells it: unix sockets have another scheme there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    database = query.removeprefix("db=") or "0"
    return f"redis+socket://{path}?virtual_host={database}"


@functools.cache
def _environment_app() -> Celery:
    return make_app(BrokerConfig.from_environment())


def __getattr__(name: str) -> Celery:
    """Build `app` when it is first asked for: importing this module must not read the environment."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _environment_app()
