"""What every table of heartbeats must do."""

from __future__ import annotations

import dataclasses

from broker.config import HEARTBEAT_S
from broker.heartbeats import WorkerBeat

BEAT = WorkerBeat(
    worker="w1@*[host]",
    host="host",
    pid=17,
    device="cpu",
    engines=("passthrough", "portrait"),
    state="busy",
    job_id="job",
    index=4,
    fps=23.976,
    started_at=1763600000.25,
    version="0.1.0",
    memory_bytes=5 * 2**30,
    memory_moves=3,
)


def test_the_latest_beat_of_each_worker_is_seen(broker):
    """Every field comes back as it was, idle or busy; workers are sorted by name."""
    idle = WorkerBeat(worker="w0", host="h", pid=1, device="cuda:0", engines=(), state="ready")
    broker.heartbeats.beat(dataclasses.replace(BEAT, state="warming", job_id=None))
    broker.heartbeats.beat(BEAT)
    broker.heartbeats.beat(idle)
    assert broker.heartbeats.live() == [idle, BEAT]


def test_a_silent_worker_is_gone(rig):
    """Silence for three beats is enough; the next beat brings it back."""
    rig.broker.heartbeats.beat(BEAT)
    rig.elapse(2.5 * HEARTBEAT_S)
    assert rig.broker.heartbeats.live() == [BEAT]
    rig.elapse(0.5 * HEARTBEAT_S)
    assert rig.broker.heartbeats.live() == []
    rig.broker.heartbeats.beat(BEAT)
    assert rig.broker.heartbeats.live() == [BEAT]


def test_a_worker_that_leaves_is_gone_at_once(broker):
    """And forgetting one that is unknown is no error."""
    broker.heartbeats.beat(BEAT)
    broker.heartbeats.forget(BEAT.worker)
    broker.heartbeats.forget(BEAT.worker)
    assert broker.heartbeats.live() == []
