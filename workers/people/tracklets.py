"""Faces linked into tracklets as frames of a chunk go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.people import Box, Tracklet, packed
from workers.analysers.recogniser import Embedding
from workers.people.closeup import Closeup
from workers.people.links import Looked, links
from workers.people.signature import Signature


@dataclass(slots=True, kw_only=True)
class _Open:
    """A tracklet that may go on."""

    start: int
    follows: int | None
    boxes: list[Box] = field(default_factory=list)
    quality: float = 0.0
    best: Closeup | None = None
    look: Signature | None = None
    embeddings: list[Embedding] = field(default_factory=list)
    last: int | None = None

    def closed(self) -> Tracklet:
        return Tracklet(
            start=self.start,
            boxes=tuple(self.boxes),
            follows=self.follows,
            last=self.last,
            quality=self.quality,
            picture="" if self.best is None else packed(self.best.jpeg()),
            look="" if self.look is None else packed(self.look.tobytes()),
            embeddings=tuple(packed(each.astype("<f2").tobytes()) for each in self.embeddings),
        )


class Tracklets:
    """The tracklets of one chunk. Feed it the frame before the chunk, if there is one, then the chunk's."""

    def __init__(self) -> None:
        self._all: list[_Open] = []
        self._before: list[Looked] = []
        self._open: list[_Open | None] = []  # by place in the frame before; None: the chunk had not begun

    def prime(self, faces: Sequence[Looked]) -> None:
        """Take in the frame before the chunk."""
        self._before, self._open = list(faces), [None] * len(faces)

    def feed(self, index: int, faces: Sequence[Looked], *, begins_shot: bool) -> list[int]:
        """Take in frame `index`, its faces from left to right; return the places of those that are new."""
        linked = {} if begins_shot else links(self._before, faces)
        going_on = [self._continued(index, place, face, linked) for place, face in enumerate(faces)]
        self._before, self._open = list(faces), list(going_on)
        return [place for place in range(len(faces)) if place not in linked]

    def sample(self, place: int, quality: float, closeup: Closeup, embedding: Embedding | None) -> None:
        """Add a sample of the face at `place` of the last frame; of equally good ones the first stays."""
        tracklet = self._open[place]
        assert tracklet is not None
        if quality > tracklet.quality:
            tracklet.quality, tracklet.best, tracklet.look = quality, closeup, self._before[place].signature
        if embedding is not None:
            tracklet.embeddings.append(embedding)

    def closed(self) -> tuple[Tracklet, ...]:
        """Return all tracklets, in order of their first frames, then from the left."""
        for place, tracklet in enumerate(self._open):
            if tracklet is not None:
                tracklet.last = place
        return tuple(tracklet.closed() for tracklet in self._all)

    def _continued(self, index: int, place: int, looked: Looked, linked: dict[int, int]) -> _Open:
        before = linked.get(place)
        tracklet = None if before is None else self._open[before]
        if tracklet is None:
            tracklet = _Open(start=index, follows=before)
            self._all.append(tracklet)
        x0, y0, x1, y1 = (round(value) for value in looked.face.box)
        tracklet.boxes.append((x0, y0, x1, y1))
        return tracklet
