"""Which face of an earlier frame may lend a face its colour transforms: a rule of absolute frames alone.

A block of `BLOCK` frames begins wherever an index is a multiple of that, and anew where a shot begins in it.
The anchor of a face is itself in its block's first frame, found step by step, from each frame to the one
before, as the tracker does. So it depends on at most `BLOCK` - 1 frames before its own, and no chunk shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from workers.engine.reuse import BLOCK, Place
from workers.face.fuse import Crop
from workers.face.sighting import same_face
from workers.frames import Face
from workers.media.planes import Rgb
from workers.swappers.calm import Fused
from workers.swappers.following import Sight
from workers.swappers.passes import Work

#: Frames before a chunk's own in which their anchors may lie.
LEAD = BLOCK - 1


class Asked(NamedTuple):
    """A crop that is to be fused, where it is, and where what may lend it its transforms is."""

    crop: Crop
    own: Place
    anchor: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A frame, and of each of its people the anchor; None: who was not there when the block began."""

    sight: Sight
    anchors: tuple[Place | None, ...]
    begins_block: bool

    @property
    def is_fused(self) -> bool:
        """Whether it is needed for more than to find others' anchors."""
        return self.sight.is_near or self.begins_block


def anchored(seen: Iterable[Sight]) -> Iterator[Anchored]:
    """Yield every frame with its people's anchors. In the first `LEAD` frames some may be missing."""
    before: Anchored | None = None
    for sight in seen:
        begins = sight.frame.index % BLOCK == 0 or sight.begins_shot
        anchors = (
            tuple(Place(sight.frame.index, number) for number in range(len(sight.people)))
            if begins
            else tuple(
                _inherited(*person, before) for person in zip(sight.people, sight.sources, strict=True)
            )
        )
        before = Anchored(sight=sight, anchors=anchors, begins_block=begins)
        yield before


def placed(work: Work[Crop, Rgb, Fused], frame: Anchored) -> Work[Asked, Rgb, Fused]:
    """Have a frame's work ask for its crops with their places."""
    try:
        crops = next(work)
        while True:
            fused = yield [
                Asked(crop, Place(frame.sight.frame.index, crop.face), frame.anchors[crop.face])
                for crop in crops
            ]
            crops = work.send(fused)
    except StopIteration as end:
        done: Fused = end.value
        return done


def left_out(frame: Anchored) -> Work[Asked, Rgb, Fused]:
    """Change nothing in a frame that only leads up to others."""
    yield []
    return Fused(frame=frame.sight.frame, begins_shot=frame.sight.begins_shot)


def _inherited(face: Face, source: int, before: Anchored | None) -> Place | None:
    """Return the anchor of who `face` is in the frame before, if it gets the same source there."""
    earlier = None if before is None else same_face(face, before.sight.people)
    if before is None or earlier is None:
        return None
    number = next(number for number, other in enumerate(before.sight.people) if other is earlier)
    return before.anchors[number] if before.sight.sources[number] == source else None
