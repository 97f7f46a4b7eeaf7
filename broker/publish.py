"""Puts messages into the queues. A message is a hint: whoever sends it must bear that it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from broker.app import PUBLISH_RETRY
from broker.edge import renamed_errors
from broker.errors import BrokerUnreachable
from broker.messages import CheckSource, RenderChunk
from broker.queues import QUEUE_OF, TaskName, personal_queue


class Publisher:
    """Sends tasks by name. Every method raises BrokerUnreachable when Redis does not answer.

    Safe to share between threads.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    def render_chunk(self, message: RenderChunk, *, worker: str | None = None) -> None:
        """Ask `worker`, or whichever is free first, to render a chunk."""
        queue = None if worker is None else _personal(worker)
        self._send(TaskName.RENDER_CHUNK, message.to_json(), queue)

    def check_source(self, message: CheckSource) -> None:
        """Ask a worker to look at a source portrait."""
        self._send(TaskName.CHECK_SOURCE, message.to_json())

    def advance(self, job_id: str) -> None:
        """Ask the farm to move a job on."""
        self._send(TaskName.ADVANCE, job_id)

    def queue_length(self, queue: str) -> int:
        """Return how many messages wait in a queue; those that a worker has taken do not count."""
        pool: Any = self._app.pool
        with _renamed_errors(), pool.acquire(block=True) as connection:
            # A connection's default channel would wait for Redis for ever.
            connection.ensure_connection(**PUBLISH_RETRY)
            # The transport's own client puts the namespace before the key.
            client = connection.default_channel.client
            return int(client.llen(queue))

    def drop_queue(self, worker: str) -> None:
        """Throw away what was sent to a worker that has gone."""
        pool: Any = self._app.pool
        with _renamed_errors(), pool.acquire(block=True) as connection:
            connection.ensure_connection(**PUBLISH_RETRY)
            connection.default_channel.client.delete(personal_queue(worker))

    def _send(self, task: TaskName, argument: Any, queue: Queue | None = None) -> None:
        to: Any = queue or QUEUE_OF[task]
        with _renamed_errors():
            self._app.send_task(task.value, args=[argument], queue=to, ignore_result=True)


def _personal(worker: str) -> Queue:
    # The unnamed exchange leads to every queue by its name; any other would leave a binding for each worker
    # that ever was.
    name = personal_queue(worker)
    return Queue(name, exchange=Exchange(""), routing_key=name)


@contextmanager
def _renamed_errors() -> Iterator[None]:
    try:
        with renamed_errors():
            yield
    except OperationalError as error:
        raise BrokerUnreachable(f"Redis does not answer: {error}") from error
