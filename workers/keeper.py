"""The thread that keeps a worker's promises: renews leases, beats, learns of chunks taken away."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from broker.connect import Broker
from broker.errors import BrokerError, LeaseLost
from broker.heartbeats import WorkerBeat
from broker.leases import Lease

log = logging.getLogger(__name__)

#: How often the lease is renewed, in seconds. A canceled chunk stops that soon; the lease itself lives for
#: several of these, so that a stall is not taken for a death.
RENEW_S = 1.0


@dataclass(slots=True)
class Progress:
    """How far a render is, shared between its threads; `stop` is set when the chunk was taken away."""

    num_frames: int = 0
    first_frame_at: float = 0.0  # Unix seconds; 0 until there is one
    stop: threading.Event = field(default_factory=threading.Event)


class Keeper:
    """Beats for as long as the worker lives, and renews the lease that `holding` names."""

    def __init__(self, broker: Broker, beat: WorkerBeat) -> None:
        self._broker = broker
        self._beat = beat
        self._held: tuple[Lease, Progress, float] | None = None
        self._end = threading.Event()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name="keeper")

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def close(self) -> None:
        """Stop beating, and say goodbye."""
        self._end.set()
        self._thread.join()
        self._broker.heartbeats.forget(self._beat.worker)

    def set_ready(self, engines: tuple[str, ...]) -> None:
        """Tell the farm that the worker takes chunks from now on."""
        self._change(state="ready", engines=engines)

    @contextmanager
    def holding(self, lease: Lease, progress: Progress) -> Iterator[None]:
        """Renew `lease` while the block runs; set `progress.stop` if it is lost."""
        with self._guard:
            self._held = (lease, progress, time.monotonic())
        self._change(state="busy", job_id=lease.job_id, index=lease.index)
        try:
            yield
        finally:
            with self._guard:
                self._held = None
            self._change(state="ready", job_id=None, index=None, fps=0.0)

    def _change(self, **fields: object) -> None:
        with self._guard:
            self._beat = dataclasses.replace(self._beat, **fields)  # type: ignore[arg-type]
        self._send()

    def _run(self) -> None:
        next_beat = 0.0
        while not self._end.wait(RENEW_S):
            self._renew()
            if time.monotonic() >= next_beat:
                self._send()
                next_beat = time.monotonic() + self._broker.config.heartbeat_s

    def _send(self) -> None:
        try:
            self._broker.heartbeats.beat(self._beat)
        except BrokerError as error:
            log.warning("no heartbeat: %s", error)

    def _renew(self) -> None:
        with self._guard:
            held = self._held
        if held is None:
            return
        lease, progress, began_s = held
        try:
            self._broker.leases.renew(lease, num_frames=progress.num_frames, stage="rendering")
        except LeaseLost:
            progress.stop.set()
        except BrokerError as error:
            # Redis may come back before the lease lapses; if not, the commit is refused.
            log.warning("lease not renewed: %s", error)
        elapsed_s = time.monotonic() - began_s
        if progress.num_frames:
            self._change(fps=progress.num_frames / elapsed_s)


def first_beat(worker: str, device: str, version: str) -> WorkerBeat:
    """Return the beat of a worker that is about to warm up."""
    return WorkerBeat(
        worker=worker,
        host=socket.gethostname(),
        pid=os.getpid(),
        device=device,
        engines=(),
        state="warming",
        job_id=None,
        index=None,
        fps=0.0,
        started_at=time.time(),
        version=version,
    )
