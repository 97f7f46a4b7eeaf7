"""Where finished segments lie on disk until they are stitched: a directory a chunk, a file a part."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from broker.errors import SegmentCorrupt, SegmentMissing
from broker.segments import SegmentName, SegmentStore


class Spool:
    """A job's finished segments. Files appear whole (written aside, then renamed) and are never changed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def drain(self, segments: SegmentStore, name: SegmentName, num_parts: int) -> None:
        """Move a segment's first `num_parts` parts from Redis to disk, those that are not there yet.

        Raises:
            SegmentMissing: a part is neither on disk nor in Redis.
        """
        directory = self._chunk(name.index, name.attempt)
        directory.mkdir(parents=True, exist_ok=True)
        for number in range(num_parts):
            path = directory / f"{number:06d}"
            if not path.exists():
                _write_whole(path, segments.get(name, number))
                segments.drop_part(name, number)

    def drain_available(self, segments: SegmentStore, name: SegmentName) -> None:
        """Move what is there of a segment that still grows; parts are written in order."""
        number = len(list(self._chunk(name.index, name.attempt).glob("[0-9]*")))
        for _ in range(segments.num_parts(name)):
            number += 1
            try:
                self.drain(segments, name, number)
            except SegmentMissing:
                return

    def parts(self, index: int, attempt: int) -> Iterator[bytes]:
        """Yield the parts of a chunk's segment, in order."""
        for path in sorted(self._chunk(index, attempt).glob("[0-9]*")):
            yield path.read_bytes()

    def check(self, index: int, attempt: int, *, num_parts: int, sha256: str) -> None:
        """Check a segment against what its worker said of it.

        Raises:
            SegmentCorrupt: parts are missing, or other bytes than the worker put.
        """
        digest = hashlib.sha256()
        count = 0
        for part in self.parts(index, attempt):
            digest.update(part)
            count += 1
        if (count, digest.hexdigest()) != (num_parts, sha256):
            raise SegmentCorrupt(f"chunk {index}, attempt {attempt}: not the bytes that were rendered")

    def discard(self, index: int, attempt: int) -> None:
        """Throw an attempt's parts away."""
        shutil.rmtree(self._chunk(index, attempt), ignore_errors=True)

    def _chunk(self, index: int, attempt: int) -> Path:
        return self._directory / f"{index:06d}.{attempt}"


def _write_whole(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)  # a full disk needs the room more than half a part
        raise
