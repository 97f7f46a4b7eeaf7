"""Where the bytes of chunks lie while they travel: in parts, counted, and never more than the window.

Rendered segments are appended part by part and drained part by part, so a segment may be larger than the
window; it keeps its name in the job's set until it is deleted, so that none is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, Self, cast, get_args

from redis import Redis

from broker.edge import AtomicStep, renamed_errors
from broker.errors import BadMessage, SegmentMissing, StoreFull
from broker.keys import Keys, glob_escape

SegmentKind = Literal["in", "out", "source"]


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class SegmentName:
    """Which bytes: of which chunk, going which way, for which attempt. `source` is the job's portrait."""

    job_id: str
    index: int
    kind: SegmentKind
    attempt: int

    def __str__(self) -> str:
        return f"{self.job_id}:{self.index}:{self.kind}:{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the string form.

        Raises:
            BadMessage: not such a name.
        """
        try:
            job_id, index, kind, attempt = text.rsplit(":", 3)
            name = cls(job_id=job_id, index=int(index), kind=cast("SegmentKind", kind), attempt=int(attempt))
        except ValueError as error:
            raise BadMessage(f"not a segment's name: {text!r}") from error
        if kind not in get_args(SegmentKind):
            raise BadMessage(f"not a segment's name: {text!r}")
        return name


class SegmentStore(Protocol):
    """Keeps segments as numbered parts. Every method raises BrokerUnreachable when the store is away."""

    def append(self, name: SegmentName, number: int, part: bytes, *, limit_bytes: int) -> None:
        """Store a part, replacing the one of that number; at once or not at all.

        Raises:
            StoreFull: all stored bytes would exceed `limit_bytes`, or the store is out of memory.
        """

    def get(self, name: SegmentName, number: int) -> bytes:
        """Return a part.

        Raises:
            SegmentMissing: it is not there.
        """

    def num_parts(self, name: SegmentName) -> int:
        """Return how many parts lie there now: dropped ones do not count, and an unknown segment has none."""

    def drop_part(self, name: SegmentName, number: int) -> None:
        """Free a part, if it is there. The segment keeps its name even without parts."""

    def delete(self, name: SegmentName) -> None:
        """Free a segment and its name, if it is there."""

    def names(self, job_id: str) -> list[SegmentName]:
        """Return the job's segments, sorted; drained ones too, until they are deleted."""

    def used_bytes(self) -> int:
        """Return the bytes of all parts of all jobs."""

    def recount(self) -> int:
        """Count and name again what lies there, after a crash or a restart; return the bytes."""


class RedisSegmentStore:
    """Segments in Redis: a hash a segment, a counter of bytes, a set of names a job."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._append = AtomicStep(redis, "append")
        self._drop_part = AtomicStep(redis, "drop_part")
        self._delete = AtomicStep(redis, "delete")
        self._recount = AtomicStep(redis, "recount")

    def append(self, name: SegmentName, number: int, part: bytes, *, limit_bytes: int) -> None:
        """See `SegmentStore`."""
        if not self._append(self._keys_of(name), number, part, limit_bytes, str(name)):
            raise StoreFull(f"no room for {len(part)} bytes of {name} within {limit_bytes}")

    def get(self, name: SegmentName, number: int) -> bytes:
        """See `SegmentStore`."""
        with renamed_errors():
            part = self._redis.hget(self._keys.segment(str(name)), str(number))
        if part is None:
            raise SegmentMissing(f"{name} part {number}")
        return cast("bytes", part)

    def num_parts(self, name: SegmentName) -> int:
        """See `SegmentStore`."""
        with renamed_errors():
            return self._redis.hlen(self._keys.segment(str(name)))

    def drop_part(self, name: SegmentName, number: int) -> None:
        """See `SegmentStore`."""
        self._drop_part(self._keys_of(name)[:2], number)

    def delete(self, name: SegmentName) -> None:
        """See `SegmentStore`."""
        self._delete(self._keys_of(name), str(name))

    def names(self, job_id: str) -> list[SegmentName]:
        """See `SegmentStore`."""
        with renamed_errors():
            names = cast("set[bytes]", self._redis.smembers(self._keys.segments(job_id)))
        return sorted(SegmentName.parse(name.decode()) for name in names)

    def used_bytes(self) -> int:
        """See `SegmentStore`."""
        with renamed_errors():
            return int(cast("bytes | None", self._redis.get(self._keys.bytes)) or 0)

    def recount(self) -> int:
        """See `SegmentStore`. Redis does nothing else meanwhile; it looks at every key, so call it seldom."""
        prefix = self._keys.segment_prefix
        return int(self._recount([self._keys.bytes], prefix, glob_escape(prefix), self._keys.segments_prefix))

    def _keys_of(self, name: SegmentName) -> tuple[str, str, str]:
        return self._keys.segment(str(name)), self._keys.bytes, self._keys.segments(name.job_id)
