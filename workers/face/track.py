"""The faces of a frame, from that frame and a fixed number of neighbours on either side.

A frame's answer is a pure function of frames [t - RADIUS, t + RADIUS]: nothing is carried along from further
back, so a video gives the same faces whole or in chunks. In three steps, each looking a fixed way:

1. seen: what the detector finds in the frame itself.
2. held: seen, without what hardly ever shows nearby, and with faces that the detector missed here but found
   up to GAP frames away: they are followed to this frame, and meet half way when they come from both sides.
3. smooth: held, averaged over SMOOTH frames either way, symmetrically, so that nothing lags.

None of them looks across a cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from workers.face import cuts
from workers.face.align import Points
from workers.face.flow import follow
from workers.face.glance import Chain, Glance
from workers.face.pyramid import Pyramid
from workers.face.sighting import apart, between, mean, met, moved, same_face
from workers.frames import Face

GAP = 8  # frames: a third of a second at 24 fps, longer than most turns of a head hide a face
SMOOTH = 2
RADIUS = GAP + SMOOTH + cuts.REACH

_WEIGHTS = (6, 4, 1)  # the binomial kernel 1 4 6 4 1 by distance: the least blur for its calm
THRESHOLD = 0.8  # ONet's usual one; weaker sightings count only beside a stronger one nearby
_CERTAIN = 0.95  # believed even when it shows in one frame only
_LEAST_SHARE = 0.25  # of the frames around, in which a face that is not certain must show
_DRIFT = 0.15  # of the face's size: how far the flow and that stage may disagree before the flow is believed
_HELD = 0.5  # the detector's last stage, shown where a face should be, agrees at this score


class Finder(Protocol):
    """What finds faces. See `workers.models.mtcnn_cascade.FaceFinder`."""

    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        """Return the picture's faces."""

    def look_at(self, picture: Pyramid, landmarks: Points) -> Face:
        """Return the face whose landmarks are about known."""


class Tracker:
    """Holds what is known of the frames around the current one. Feed it in order; ask `RADIUS` behind."""

    def __init__(self, finder: Finder, threshold: float = THRESHOLD) -> None:
        self._finder = finder
        self._strong, self._certain = threshold, max(threshold, _CERTAIN)
        self._glances: dict[int, Glance] = {}

    def feed(self, index: int, picture: Pyramid) -> None:
        """Take in frame `index`: RGB (uint8), small enough to search. Frames come in order, without holes."""
        self._glances[index] = Glance.of(picture, self._finder.find(picture))

    def forget(self, before: int) -> None:
        """Drop every frame below index `before`."""
        for index in [i for i in self._glances if i < before]:
            del self._glances[index]

    def faces(self, index: int) -> tuple[Face, ...]:
        """Return the faces of frame `index`, left to right, in the fed picture's pixels.

        Frames [index - RADIUS, index + RADIUS], as far as the video has them, must have been fed.
        """
        smooth = [self._smoothed(index, face) for face in self._held(index)]
        return tuple(sorted(smooth, key=lambda face: face.box))

    def begins_shot(self, index: int) -> bool:
        """Say whether frame `index` is the first of a shot; True, too, where the one before is not known."""
        return not self._joined(index, -1)

    def _smoothed(self, index: int, face: Face) -> Face:
        window = [face]
        earlier = later = face
        for distance in range(1, SMOOTH + 1):
            pair = [self._next(index, distance * way, at) for way, at in ((-1, earlier), (1, later))]
            if pair[0] is None or pair[1] is None:
                break  # with one side only, the mean would lag or lead
            earlier, later = pair[0], pair[1]
            window += [earlier, later]
        return mean(window, [_WEIGHTS[(place + 1) // 2] for place in range(len(window))])

    def _next(self, index: int, offset: int, face: Face) -> Face | None:
        """Return `face` among those held in the frame `offset` away: the last step of a walk there."""
        way = 1 if offset > 0 else -1
        if not self._joined(index + offset - way, way):
            return None
        return same_face(face, self._held(index + offset))

    def _held(self, index: int) -> tuple[Face, ...]:
        glance = self._glances[index]
        if glance.held is None:
            here = list(glance.seen)
            for face in self._followed(index):
                if same_face(face, tuple(here)) is None:
                    here.append(face)
            glance.held = tuple(face for face in here if self._is_believed(index, face))
        return glance.held

    def _followed(self, index: int) -> list[Face]:
        """Return faces that neighbours see and that this frame may have missed, nearest origin first."""
        left, right = (list(self._arriving(index, way)) for way in (1, -1))
        faces = [met(face, distance, right) for face, distance in left]
        return faces + [face for face, _ in right if same_face(face, tuple(faces)) is None]

    def _arriving(self, index: int, way: int) -> Iterator[tuple[Face, int]]:
        """Yield faces followed here from frames before (`way` 1) or after (-1), with their distance."""
        for distance in range(1, GAP + 1):
            origin = index - way * distance
            if not self._joined(origin, way):
                return
            for number in range(len(self._glances[origin].seen)):
                faces = self._chain(origin, number, way, distance).faces
                if len(faces) >= distance:
                    yield faces[distance - 1], distance

    def _chain(self, origin: int, number: int, way: int, length: int) -> Chain:
        """Return a face seen in `origin`, followed through `length` frames or until it is seen again."""
        chain = self._glances[origin].chains.setdefault((number, way), Chain())
        while chain.is_open and len(chain.faces) < length:
            last = chain.faces[-1] if chain.faces else self._glances[origin].seen[number]
            at = origin + way * len(chain.faces)
            further = self._step(at, way, last) or self._leap(at, way, last)
            chain.is_open = bool(further)
            chain.faces += further
        return chain

    def _step(self, at: int, way: int, face: Face) -> list[Face]:
        """Follow a face to the next frame; nothing when it is lost, or is seen there anyway."""
        here, there = self._glances[at], self._glances[at + way]
        if same_face(face, there.seen) is not None:
            return []
        flowed = follow(here.gray, there.gray, face.landmarks)
        if flowed is None:
            return []
        looked = self._finder.look_at(there.picture, flowed)
        is_there = looked.score >= _HELD and apart(looked.landmarks, flowed) <= _DRIFT
        there_now = moved(face, looked.landmarks if is_there else flowed)
        return [] if same_face(there_now, there.seen) else [there_now]

    def _leap(self, at: int, way: int, face: Face) -> list[Face]:
        """Follow a face across a flash, in which nothing can be followed: to where it is right after."""
        for length in range(1, cuts.REACH + 1):
            beyond = at + way * (length + 1)
            if not all(self._joined(i, way) for i in range(at, beyond, way)):
                break
            here, there = self._glances[at], self._glances[beyond]
            flash = [self._glances[i].sketch for i in range(at + way, beyond, way)]
            if not cuts.is_flash(here.sketch, flash, there.sketch):
                continue
            flowed = follow(here.gray, there.gray, face.landmarks)
            landed = same_face(face, there.seen) or (None if flowed is None else moved(face, flowed))
            return [] if landed is None else between(face, landed, length)
        return []

    def _is_believed(self, index: int, face: Face) -> bool:
        hits, best, frames = 0, 0.0, 1
        for sighting in self._sightings(index, face):
            frames += 1
            hits += sighting is not None
            best = max(best, sighting.score if sighting else 0.0)
        own = same_face(face, self._glances[index].seen)
        if own is not None:
            hits, best = hits + 1, max(best, own.score)
        return best >= self._certain or (best >= self._strong and hits >= _LEAST_SHARE * frames)

    def _sightings(self, index: int, face: Face) -> Iterator[Face | None]:
        """Yield, frame by frame outwards on each side, where the face is seen; None where it is not."""
        for way in (-1, 1):
            last = face
            for distance in range(1, GAP + 1):
                if not self._joined(index + way * (distance - 1), way):
                    break
                sighting = same_face(last, self._glances[index + way * distance].seen)
                last = sighting or last
                yield sighting

    def _joined(self, index: int, way: int) -> bool:
        """Say whether the frame next to `index` is known and of the same shot."""
        first, later = min(index, index + way), max(index, index + way)
        return first in self._glances and later in self._glances and not self._is_cut(later)

    def _is_cut(self, index: int) -> bool:
        glance = self._glances[index]
        if glance.is_cut is None:
            runs = range(index - 1 - cuts.REACH, index), range(index, index + 1 + cuts.REACH)
            before, after = ([self._glances[i].sketch for i in run if i in self._glances] for run in runs)
            glance.is_cut = cuts.is_cut(before, after)
        return glance.is_cut
