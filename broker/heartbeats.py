"""Which workers live, and what each is doing: known to the second, kept only while it is true."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from redis import Redis

from broker.edge import AtomicStep, renamed_errors
from broker.errors import BadMessage
from broker.keys import Keys, glob_escape

#: A worker counts as gone after this many beats without a sign of life: one may be lost, one may be late.
BEATS_TO_LIVE = 3

#: Keys that Redis looks at in one step of a scan: a farm's whole key space in a few steps.
_SCAN_COUNT = 1000

#: The field that holds how long the note lives, in milliseconds; the others are `WorkerBeat`'s.
_TERM = b"term_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerBeat:
    """One sign of life."""

    worker: str  # unique in the farm
    host: str
    pid: int
    device: str  # "cuda:0 NVIDIA ...", "cpu"
    engines: tuple[str, ...]  # names that this worker can render with
    state: Literal["warming", "ready", "busy", "leaving"]
    job_id: str | None = None  # of the chunk it renders
    index: int | None = None
    fps: float = 0.0  # frames per second at which it renders now; 0 when it does not
    started_at: float = 0.0  # Unix seconds
    version: str = ""  # of the program it runs
    plan: str = ""  # what its engines do with the device's memory, for people
    memory_bytes: int = 0  # what it takes: of the GPU, on a CPU of the machine; 0: nobody says
    memory_peak_bytes: int = 0  # the most that it took since it began
    memory_limit_bytes: int = 0  # what its engines may take; 0: as much as there is
    memory_moves: int = 0  # how often weights came from host memory since it began
    memory_moved_bytes: int = 0
    note: str = ""  # why it leaves, where it was not asked to


class Heartbeats(Protocol):
    """The workers' signs of life. Every method raises BrokerUnreachable when the store is away."""

    def beat(self, beat: WorkerBeat) -> None:
        """Note that a worker lives; the note lapses after `BEATS_TO_LIVE` beats."""

    def forget(self, worker: str) -> None:
        """Drop a worker's note: it leaves, and says so. Unknown ones are fine."""

    def live(self) -> list[WorkerBeat]:
        """Return the latest beat of every worker that lives, sorted by name."""


class RedisHeartbeats:
    """Heartbeats in Redis: a hash a worker, that expires. `heartbeat_s` is the time between two beats."""

    def __init__(self, redis: Redis, keys: Keys, *, heartbeat_s: float) -> None:
        self._redis = redis
        self._keys = keys
        self._term_ms = round(BEATS_TO_LIVE * heartbeat_s * 1000)
        self._beat = AtomicStep(redis, "beat")
        self._shorten = AtomicStep(redis, "shorten")

    def beat(self, beat: WorkerBeat) -> None:
        """See `Heartbeats`."""
        values = [
            text for name, value in dataclasses.asdict(beat).items() for text in (name, json.dumps(value))
        ]
        self._beat([self._keys.worker(beat.worker)], self._term_ms, *values)

    def forget(self, worker: str) -> None:
        """See `Heartbeats`."""
        with renamed_errors():
            self._redis.delete(self._keys.worker(worker))

    def live(self) -> list[WorkerBeat]:
        """See `Heartbeats`."""
        pattern = glob_escape(self._keys.worker_prefix) + "*"
        with renamed_errors(), self._redis.pipeline(transaction=False) as pipeline:
            # A scan may name a key twice.
            keys = list(set(self._redis.scan_iter(match=pattern, count=_SCAN_COUNT)))
            for key in keys:
                pipeline.hgetall(key)
                pipeline.pttl(key)
            answers = pipeline.execute()
        found = list(zip(keys, answers[::2], answers[1::2], strict=True))
        for key, fields, left_ms in found:
            # More than its term: Redis's clock was set back.
            if left_ms > int(fields.get(_TERM, left_ms)):
                self._shorten([key])
        # Empty: it lapsed between the scan and the look.
        return sorted((_beat(fields) for _, fields, _ in found if fields), key=lambda beat: beat.worker)


def _beat(fields: dict[bytes, bytes]) -> WorkerBeat:
    values: dict[str, Any] = {
        name.decode(): json.loads(text) for name, text in fields.items() if name != _TERM
    }
    try:
        return WorkerBeat(**{**values, "engines": tuple(values["engines"])})
    except (TypeError, KeyError) as error:
        raise BadMessage(f"not a worker's heartbeat: {error}") from error
