"""The faces of a stream of frames, followed: what every engine that changes faces begins with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, groupby, islice

import numpy as np
from numpy.typing import NDArray

from broker.messages import CAST
from workers.face.align import Points
from workers.face.pyramid import Pyramid
from workers.face.sighting import same_face
from workers.face.track import RADIUS, THRESHOLD, Finder, Tracker
from workers.frames import Cast, Face, Frame
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A frame and the faces in it."""

    frame: Frame
    people: tuple[Face, ...]  # the faces to be changed, left to right, in the frame's pixels
    sources: tuple[int, ...]  # which source each of them gets
    begins_shot: bool
    is_near: bool = True  # to a frame that is put out: others lie in its `lead`

    @property
    def faces(self) -> tuple[Points, ...]:
        """The landmarks (5, 2) of `people`."""
        return tuple(face.landmarks for face in self.people)


def sights(
    frames: Iterable[Frame],
    finder: Finder,
    *,
    which: str,
    threshold: float = THRESHOLD,
    margin: int = 0,
    lead: int = 0,
) -> Iterator[Sight]:
    """Yield every frame that is not context, context that is near one, and what leads up to that.

    Near is what is `margin` frames or less from one; up to `lead` frames before those are yielded as well.

    Nothing is followed from one shot into the next, where `Frame.begins_shot` says that one begins.

    `which` is "all", "largest" or "cast": those that the frame names; a face must score `threshold` somewhere
    nearby. A frame is yielded `RADIUS` frames after it came in, or when no more come: at most `RADIUS` + 1
    frames are held, and 2 `RADIUS` + 1 pictures of the size that is searched. `margin` and `lead` together
    are at most `RADIUS`.
    """
    for shot in _shots(frames):
        tracker = Tracker(finder, threshold)
        for frame, is_near in _followed(shot, tracker, margin=margin, lead=lead):
            yield _sight(frame, tracker, which, is_near=is_near)


def _shots(frames: Iterable[Frame]) -> Iterator[Iterator[Frame]]:
    """Divide a stream where it is known that shots begin; each is read as it comes."""
    numbers = count()
    number = next(numbers)

    def number_of(frame: Frame) -> int:
        nonlocal number
        number = next(numbers) if frame.begins_shot else number
        return number

    for _, shot in groupby(frames, key=number_of):
        yield shot


def _followed(
    frames: Iterable[Frame], tracker: Tracker, *, margin: int, lead: int
) -> Iterator[tuple[Frame, bool]]:
    """Yield frames whose faces the tracker can tell, and whether each is near one that is put out."""
    waiting: deque[Frame] = deque()
    last_wanted = -margin - 1
    for frame in chain(frames, [None] * RADIUS):
        if frame is not None:
            tracker.feed(frame.index, Pyramid(_to_search(frame)))
            waiting.append(frame)
        if not waiting or (frame is not None and len(waiting) <= RADIUS):
            continue
        first = waiting.popleft()
        last_wanted = last_wanted if first.is_context else first.index
        tracker.forget(first.index - RADIUS)
        is_near = first.index <= last_wanted + margin or _has_wanted(waiting, margin)
        if is_near or _has_wanted(waiting, margin + lead):
            yield first, is_near


def _has_wanted(waiting: deque[Frame], num: int) -> bool:
    """Say whether one of the next `num` frames is put out."""
    return any(not frame.is_context for frame in islice(waiting, num))


def enlarged(landmarks: Points, factor: float) -> Points:
    """Return landmarks in a picture `factor` times as large; pixel centres lie at halves."""
    return np.asarray((landmarks + 0.5) * factor - 0.5, np.float32)


def scaled(face: Face, factor: float) -> Face:
    """Return a face as it is in a picture `factor` times as large."""
    x0, y0, x1, y1 = (v * factor for v in face.box)
    return Face(box=(x0, y0, x1, y1), landmarks=enlarged(face.landmarks, factor), score=face.score)


def area(face: Face) -> float:
    """Return the area of a face's box, in square pixels."""
    x0, y0, x1, y1 = face.box
    return (x1 - x0) * (y1 - y0)


def _sight(frame: Frame, tracker: Tracker, which: str, *, is_near: bool) -> Sight:
    factor = frame.picture.width / _search_size(frame)[0]
    faces = tuple(scaled(face, factor) for face in tracker.faces(frame.index))
    chosen = _wanted(faces, which, frame.cast or ())
    return Sight(
        frame=frame,
        people=tuple(face for face, _ in chosen),
        sources=tuple(source for _, source in chosen),
        begins_shot=tracker.begins_shot(frame.index),
        is_near=is_near,
    )


def _wanted(faces: tuple[Face, ...], which: str, cast: tuple[Cast, ...]) -> list[tuple[Face, int]]:
    """Return the faces to be changed, left to right, each with the number of its source."""
    if which == CAST:
        found = {faces.index(face): one.source for one in cast if (face := _at(one, faces)) is not None}
        return [(faces[place], source) for place, source in sorted(found.items())]
    if which == "largest" and faces:
        return [(max(faces, key=area), 0)]
    return [(face, 0) for face in faces]


def _at(one: Cast, faces: tuple[Face, ...]) -> Face | None:
    """Return who lies where somebody of the cast was seen: both saw the same pixels, but for rounding."""
    return same_face(Face(box=one.box, landmarks=np.zeros((5, 2), np.float32), score=0.0), faces)


def _search_size(frame: Frame) -> tuple[int, int]:
    """Return width and height of the picture that is searched."""
    width, height = frame.picture.width, frame.picture.height
    factor = min(1.0, LONGEST_SIDE_PX / max(width, height))
    return round(width * factor), round(height * factor)


def _to_search(frame: Frame) -> NDArray[np.uint8]:
    width, height = _search_size(frame)
    return np.asarray(frame.picture.to_ndarray(format="rgb24", width=width, height=height), np.uint8)
