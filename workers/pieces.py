"""Frames of several segments on their way through one swapper, and which segment each is from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from broker.framing import StreamHeader
from workers.frames import Frame


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame, and the header of the segment that it is from; no frame stands for a damaged picture."""

    header: StreamHeader
    frame: Frame | None


def by_segment(pieces: Iterable[Piece]) -> Iterator[tuple[StreamHeader, Iterator[Piece]]]:
    """Yield each segment's header and pieces; the pieces as they come."""
    return groupby(pieces, key=lambda piece: piece.header)


def through(pieces: Iterable[Piece], run: Callable[[Iterator[Frame]], Iterable[Frame]]) -> Iterator[Piece]:
    """Send frames through one run, and join what comes out with its header; damaged pictures go round it.

    `run` may look ahead as far as it likes, in a thread of its own, too. The order stays.
    """
    opened: deque[tuple[StreamHeader, bool]] = deque()  # of segments that are not all out: is it damaged?

    def frames() -> Iterator[Frame]:
        for piece in pieces:
            if not opened or opened[-1][0] is not piece.header:
                opened.append((piece.header, piece.frame is None))
            if piece.frame is not None:
                yield piece.frame

    for frame in run(frames()):
        while not _is_of(frame, opened[0][0]):
            yield from _damaged(opened.popleft())
        yield Piece(opened[0][0], frame)
    for left in opened:
        yield from _damaged(left)


def _is_of(frame: Frame, header: StreamHeader) -> bool:
    return header.start <= frame.index < header.start + len(header.pts)


def _damaged(segment: tuple[StreamHeader, bool]) -> Iterator[Piece]:
    header, is_damaged = segment
    if is_damaged:
        yield Piece(header, None)
