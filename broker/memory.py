"""Segments and heartbeats in memory, for tests and one-process runs: the same contract as in Redis."""

from __future__ import annotations

import threading

from broker.clock import Clock
from broker.errors import SegmentMissing, StoreFull
from broker.heartbeats import BEATS_TO_LIVE, WorkerBeat
from broker.segments import SegmentName


class MemorySegmentStore:
    """See `SegmentStore`. Safe to share between threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._segments: dict[SegmentName, dict[int, bytes]] = {}
        self._used_bytes = 0

    def append(self, name: SegmentName, number: int, part: bytes, *, limit_bytes: int) -> None:
        """See `SegmentStore`."""
        with self._mutex:
            growth = len(part) - len(self._segments.get(name, {}).get(number, b""))
            if growth > 0 and self._used_bytes + growth > limit_bytes:
                raise StoreFull(f"no room for {len(part)} bytes of {name} within {limit_bytes}")
            self._segments.setdefault(name, {})[number] = bytes(part)
            self._used_bytes += growth

    def get(self, name: SegmentName, number: int) -> bytes:
        """See `SegmentStore`."""
        with self._mutex:
            try:
                return self._segments[name][number]
            except KeyError as error:
                raise SegmentMissing(f"{name} part {number}") from error

    def num_parts(self, name: SegmentName) -> int:
        """See `SegmentStore`."""
        with self._mutex:
            return len(self._segments.get(name, {}))

    def drop_part(self, name: SegmentName, number: int) -> None:
        """See `SegmentStore`."""
        with self._mutex:
            self._used_bytes -= len(self._segments.get(name, {}).pop(number, b""))

    def delete(self, name: SegmentName) -> None:
        """See `SegmentStore`."""
        with self._mutex:
            self._used_bytes -= sum(map(len, self._segments.pop(name, {}).values()))

    def names(self, job_id: str) -> list[SegmentName]:
        """See `SegmentStore`."""
        with self._mutex:
            return sorted(name for name in self._segments if name.job_id == job_id)

    def used_bytes(self) -> int:
        """See `SegmentStore`."""
        with self._mutex:
            return self._used_bytes

    def recount(self) -> int:
        """See `SegmentStore`."""
        with self._mutex:
            parts = (part for segment in self._segments.values() for part in segment.values())
            self._used_bytes = sum(map(len, parts))
            return self._used_bytes


class MemoryHeartbeats:
    """See `Heartbeats`. Safe to share between threads; terms run on `clock`."""

    def __init__(self, clock: Clock, *, heartbeat_s: float) -> None:
        self._clock = clock
        self._term_s = BEATS_TO_LIVE * heartbeat_s
        self._mutex = threading.Lock()
        self._beats: dict[str, tuple[WorkerBeat, float]] = {}  # beat, end on the clock

    def beat(self, beat: WorkerBeat) -> None:
        """See `Heartbeats`."""
        with self._mutex:
            self._beats[beat.worker] = (beat, self._clock.now_s() + self._term_s)

    def forget(self, worker: str) -> None:
        """See `Heartbeats`."""
        with self._mutex:
            self._beats.pop(worker, None)

    def live(self) -> list[WorkerBeat]:
        """See `Heartbeats`."""
        with self._mutex:
            now_s = self._clock.now_s()
            return [beat for _, (beat, ends_s) in sorted(self._beats.items()) if now_s < ends_s]
