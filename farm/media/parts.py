"""Bytes, re-grouped into parts of a size that a store likes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Protocol


class Digest(Protocol):
    """What `hashlib` returns."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def hexdigest(self) -> str:
        """Return the digest of what was taken in so far."""


def new_digest() -> Digest:
    """Return the digest by which segments are known: SHA-256."""
    return hashlib.sha256()


def regroup(pieces: Iterable[bytes], part_bytes: int, *, digest: Digest | None = None) -> Iterator[bytes]:
    """Yield the same bytes in parts of exactly `part_bytes`, the last one shorter; none is empty.

    Holds one part at a time. `digest`, where given, has taken in every byte of the parts yielded so far.

    Raises:
        ValueError: `part_bytes` is not positive.
    """
    if part_bytes <= 0:
        raise ValueError(f"part_bytes must be positive, not {part_bytes}")
    part = bytearray()
    for piece in pieces:
        rest = memoryview(piece)
        while len(rest) > 0:
            taken = rest[: part_bytes - len(part)]
            part += taken
            rest = rest[len(taken) :]
            if len(part) == part_bytes:
                yield _sealed(part, digest)
                part = bytearray()
    if part:
        yield _sealed(part, digest)


def _sealed(part: bytearray, digest: Digest | None) -> bytes:
    sealed = bytes(part)
    if digest is not None:
        digest.update(sealed)
    return sealed
