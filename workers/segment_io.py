"""A segment's bytes between Redis and a render: read as they are needed, written as they come."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

from broker.clock import Clock
from broker.errors import SegmentMissing, StoreFull
from broker.segments import SegmentName, SegmentStore
from workers.errors import Stopped

#: Pause before another try when the window is full, in seconds: the farm empties it at its disk's pace.
FULL_PAUSE_S = 0.05


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


class PartWriter:
    """Gathers bytes into parts and puts them, waiting while the window is full."""

    def __init__(
        self,
        segments: SegmentStore,
        name: SegmentName,
        *,
        part_bytes: int,
        limit_bytes: int,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._segments = segments
        self._name = name
        self._part_bytes = part_bytes
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._stop = stop
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
        while True:
            if self._stop.is_set():
                raise Stopped("the chunk was taken away")
            try:
                self._segments.append(self._name, self.num_parts, part, limit_bytes=self._limit_bytes)
                break
            except StoreFull:
                self._clock.sleep(FULL_PAUSE_S)
        self._digest.update(part)
        self.num_parts += 1
        self.num_bytes += len(part)
