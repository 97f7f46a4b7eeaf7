"""A segment's bytes between Redis and a render: read as they are needed, written as they come."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from broker.clock import Clock
from broker.errors import BrokerUnreachable, SegmentMissing, StoreFull
from broker.leases import RENDERING, WAITING
from broker.segments import SegmentName, SegmentStore
from workers.errors import Stopped

#: Pause before another try when the window is full, in seconds: the farm empties it at its disk's pace.
FULL_PAUSE_S = 0.05

#: Pause before another try when Redis is away, in seconds: each try waits for an answer as well.
AWAY_PAUSE_S = 0.5

T = TypeVar("T")


def patiently(
    step: Callable[[], T], clock: Clock, stop: threading.Event, say: Callable[[str], None] = lambda _: None
) -> T:
    """Return what `step` gives, as soon as Redis is there and has room.

    The keeper sets `stop` when the lease is lost; `say` is told that this waits.

    Raises:
        Stopped: the chunk was taken away meanwhile.
    """
    while True:
        if stop.is_set():
            raise Stopped("the chunk was taken away")
        try:
            return step()
        except StoreFull:
            say(WAITING)
            clock.sleep(FULL_PAUSE_S)
        except BrokerUnreachable:
            say(WAITING)
            clock.sleep(AWAY_PAUSE_S)


def read_parts(segments: SegmentStore, name: SegmentName) -> Iterator[bytes]:
    """Yield a finished segment's parts, one in memory at a time.

    Raises:
        SegmentMissing: it is not there, or a part of it is not.
    """
    num_parts = segments.num_parts(name)
    if num_parts == 0:
        raise SegmentMissing(str(name))
    for number in range(num_parts):
        yield segments.get(name, number)


def read_patiently(
    segments: SegmentStore, name: SegmentName, clock: Clock, stop: threading.Event
) -> Iterator[bytes]:
    """Yield a finished segment's parts as `read_parts` does, however long Redis is away between two.

    Raises:
        SegmentMissing: it is not there, or a part of it is not.
        Stopped: the chunk was taken away meanwhile.
    """
    num_parts = patiently(lambda: segments.num_parts(name), clock, stop)
    if num_parts == 0:
        raise SegmentMissing(str(name))
    for number in range(num_parts):
        yield patiently(lambda number=number: segments.get(name, number), clock, stop)  # type: ignore[misc]


class PartWriter:
    """Gathers bytes into parts and puts them, waiting while the window is full or Redis is away."""

    def __init__(
        self,
        segments: SegmentStore,
        name: SegmentName,
        *,
        part_bytes: int,
        limit_bytes: int,
        clock: Clock,
        stop: threading.Event,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Write to `name`; `say` is told when the writer waits, and when it goes on."""
        self._segments = segments
        self._name = name
        self._part_bytes = part_bytes
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._stop = stop
        self._say = say
        self._pending = bytearray()
        self._digest = hashlib.sha256()
        self.num_parts = 0
        self.num_bytes = 0

    @property
    def sha256(self) -> str:
        """The digest of all that was put."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add bytes to the segment.

        Raises:
            Stopped: the chunk was taken away while the window was full.
        """
        self._pending += piece
        while len(self._pending) >= self._part_bytes:
            self._put(bytes(self._pending[: self._part_bytes]))
            del self._pending[: self._part_bytes]

    def close(self) -> None:
        """Put what is left."""
        if self._pending:
            self._put(bytes(self._pending))
            self._pending.clear()

    def _put(self, part: bytes) -> None:
        patiently(lambda: self._append(part), self._clock, self._stop, self._say)
        self._say(RENDERING)
        self._digest.update(part)
        self.num_parts += 1
        self.num_bytes += len(part)

    def _append(self, part: bytes) -> None:
        self._segments.append(self._name, self.num_parts, part, limit_bytes=self._limit_bytes)
