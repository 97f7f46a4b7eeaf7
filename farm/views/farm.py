"""The farm and its workers, as users see them."""

from __future__ import annotations

import importlib.metadata
from collections import defaultdict

from sqlalchemy.exc import SQLAlchemyError

from broker.errors import BrokerError
from broker.heartbeats import WorkerBeat
from farm.bootstrap import Farm
from farm.schemas import FarmView, WorkerView


def worker_views(farm: Farm) -> list[WorkerView]:
    """Return the workers that live, by name.

    Raises:
        BrokerUnreachable: Redis does not answer.
    """
    blocked_for = defaultdict(list)
    for row in farm.store.blocks():
        blocked_for[row.worker].append(row.job_id)
    return [_worker_view(beat, blocked_for[beat.worker]) for beat in farm.broker.heartbeats.live()]


def farm_view(farm: Farm) -> FarmView:
    """Return the farm's health; it says what is wrong, and does not raise."""
    redis, workers, used_bytes = "ok", 0, 0
    try:
        workers, used_bytes = len(farm.broker.heartbeats.live()), farm.broker.segments.used_bytes()
    except BrokerError as error:
        redis = str(error)
    database = "ok"
    try:
        farm.store.ping()
    except SQLAlchemyError as error:
        database = str(error).splitlines()[0]
    return FarmView(
        version=importlib.metadata.version("face-fusion-farm"),
        database=database,
        redis=redis,
        workers=workers,
        window_bytes=farm.broker.config.window_bytes,
        window_used_bytes=used_bytes,
    )


def _worker_view(beat: WorkerBeat, blocked_for: list[str]) -> WorkerView:
    return WorkerView(
        worker=beat.worker,
        host=beat.host,
        pid=beat.pid,
        device=beat.device,
        state=beat.state,
        engines=list(beat.engines),
        job=beat.job_id,
        chunk=beat.index,
        fps=beat.fps,
        plan=beat.plan,
        memory_bytes=beat.memory_bytes,
        memory_peak_bytes=beat.memory_peak_bytes,
        memory_limit_bytes=beat.memory_limit_bytes,
        memory_moves=beat.memory_moves,
        memory_moved_bytes=beat.memory_moved_bytes,
        note=beat.note,
        blocked_for=blocked_for,
    )
