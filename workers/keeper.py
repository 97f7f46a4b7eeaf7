"""The thread that keeps a worker's promises: renews leases, beats, learns of chunks taken away."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from broker.connect import Broker
from broker.errors import BrokerError, LeaseLost
from broker.heartbeats import WorkerBeat
from broker.leases import RENDERING, Lease
from workers.engine.moves import MOVES
from workers.errors import Stopped
from workers.footprint import Footprint, footprint
from workers.stuck import Patience

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
    stage: str = RENDERING  # or WAITING
    num_parts: int = 0  # of enlarged frames: one may take longer than the farm waits for a frame
    stopped_s: float | None = None  # on the monotonic clock: when the keeper first saw `stop`
    is_leaving: bool = False  # with `stop`: it was not taken away, the worker gives it up

    def note_stage(self, stage: str) -> None:
        """Say what the render does now: the farm forgives who waits for it."""
        self.stage = stage

    def note_part(self) -> None:
        """Say that a part of a frame is done.

        Raises:
            Stopped: the chunk was taken away; a frame's end would be long to wait for.
        """
        if self.stop.is_set():
            raise Stopped("the chunk was taken away")
        self.num_parts += 1

    @property
    def told(self) -> str:
        """What the lease says of the render: it changes with every part, so that the farm sees it go on."""
        return (
            f"{RENDERING}, part {self.num_parts}"
            if self.num_parts and self.stage == RENDERING
            else self.stage
        )


class Keeper:
    """Beats for as long as the worker lives, and renews the lease that `holding` names."""

    def __init__(self, broker: Broker, beat: WorkerBeat, patience: Patience) -> None:
        self._broker = broker
        self._patience = patience
        self._beat = beat
        self._held: tuple[Lease, Progress, float] | None = None
        self._end = threading.Event()
        self._guard = threading.Lock()
        self.is_leaving = False
        self._noted: set[type[Exception]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True, name="keeper")

    def start(self) -> None:
        """Begin to beat, watched from the first moment: a render may hang before the keeper's first turn."""
        self._patience.rearm()
        self._thread.start()

    def close(self) -> None:
        """Stop beating, and say goodbye."""
        self._end.set()
        self._thread.join()
        self._patience.disarm()
        try:
            self._broker.heartbeats.forget(self._beat.worker)
        except BrokerError as error:
            log.warning("left without a goodbye: %s", error)  # the last beat lapses by itself

    def set_ready(self, engines: tuple[str, ...]) -> bool:
        """Tell the farm that the worker takes chunks from now on; say whether it could be told."""
        return self._change(state="ready", engines=engines)

    def note_plan(self, plan: str, limit_bytes: int = 0) -> None:
        """Put what the engines do with the device's memory into the beats from the next one on."""
        with self._guard:
            self._beat = dataclasses.replace(self._beat, plan=plan, memory_limit_bytes=limit_bytes)

    def leave(self, why: str = "") -> None:
        """Tell the farm that the worker goes, and have the render under way stop at its next frame."""
        with self._guard:
            self.is_leaving = True
            held = self._held
        if held is not None:
            _give_up(held[1])
        self._change(note=why)

    @contextmanager
    def holding(self, lease: Lease, progress: Progress) -> Iterator[None]:
        """Renew `lease` while the block runs; set `progress.stop` if it is lost."""
        with self._guard:
            self._held = (lease, progress, time.monotonic())
            if self.is_leaving:
                _give_up(progress)
        self._change(state="busy", job_id=lease.job_id, index=lease.index)
        try:
            yield
        finally:
            with self._guard:
                self._held = None
            self._change(state="ready", job_id=None, index=None, fps=0.0)

    def _change(self, **fields: object) -> bool:
        with self._guard:
            last = {"state": "leaving"} if self.is_leaving else {}
            self._beat = dataclasses.replace(self._beat, **{**fields, **last})  # type: ignore[arg-type]
        return self._send()

    def _run(self) -> None:
        next_beat = 0.0
        while not self._end.wait(RENEW_S):
            self._surely(self._patience.rearm)
            self._surely(self._renew)
            if time.monotonic() >= next_beat:
                self._send()
                next_beat = time.monotonic() + self._broker.config.heartbeat_s

    def _send(self) -> bool:
        return self._surely(self._tell)

    def _tell(self) -> None:
        try:
            here = footprint()
        except Exception as error:  # noqa: BLE001 - a device that does not answer must not silence its worker
            self._note(error)
            here = Footprint()
        self._broker.heartbeats.beat(_with_memory(self._beat, here))

    def _surely(self, step: Callable[[], None]) -> bool:
        """Do a step, and say whether it was done: without this thread every lease that it renews lapses.

        Whatever goes wrong is logged, and tried again at the next turn.
        """
        try:
            step()
        except BrokerError as error:
            log.warning("no heartbeat: %s", error)
        except Exception as error:  # noqa: BLE001 - what it is cannot be known; see above
            self._note(error)
        else:
            return True
        return False

    def _note(self, error: Exception) -> None:
        """Log what nobody expected, with its place: once of a kind, for it may come every second."""
        if type(error) not in self._noted:
            self._noted.add(type(error))
            log.error("the keeper goes on after an error", exc_info=error)

    def _renew(self) -> None:
        with self._guard:
            held = self._held
        if held is None:
            return
        lease, progress, began_s = held
        try:
            self._broker.leases.renew(lease, num_frames=progress.num_frames, stage=progress.told)
        except LeaseLost:
            progress.stop.set()
        except BrokerError as error:
            # Redis may come back before the lease lapses; if not, the commit is refused.
            log.warning("lease not renewed: %s", error)
        except Exception as error:  # noqa: BLE001 - whether the render is stuck must be looked at all the same
            self._note(error)
        self._end_if_stuck(progress)
        elapsed_s = time.monotonic() - began_s
        if progress.num_frames:
            self._change(fps=progress.num_frames / elapsed_s)

    def _end_if_stuck(self, progress: Progress) -> None:
        if not progress.stop.is_set():
            return
        if progress.stopped_s is None:
            progress.stopped_s = time.monotonic()
        elif time.monotonic() - progress.stopped_s > self._patience.stuck_s:
            self._patience.end()


def _with_memory(beat: WorkerBeat, here: Footprint) -> WorkerBeat:
    """Return a beat with what this process takes of memory."""
    return dataclasses.replace(
        beat,
        memory_bytes=here.used_bytes,
        memory_peak_bytes=here.peak_bytes,
        memory_moves=MOVES.num,
        memory_moved_bytes=MOVES.num_bytes,
    )


def _give_up(progress: Progress) -> None:
    progress.is_leaving = True  # before `stop`: whoever sees that wants to know why
    progress.stop.set()


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
