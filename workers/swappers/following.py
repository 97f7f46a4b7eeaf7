"""The faces of a stream of frames, followed: what every engine that changes faces begins with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from workers.face.align import Points
from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS, THRESHOLD, Finder, Tracker
from workers.frames import Face, Frame
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX


def followed(
    frames: Iterable[Frame], finder: Finder, *, which: str, threshold: float = THRESHOLD
) -> Iterator[tuple[Frame, tuple[Points, ...]]]:
    """Yield every frame that is not context, in order, with the landmarks (5, 2) of its faces in its pixels.

    `which` is "all" or "largest"; a face must score `threshold` somewhere nearby.
    A frame is yielded `RADIUS` frames after it came in, or when no more come: at most `RADIUS` + 1 frames are
    held, and 2 `RADIUS` + 1 pictures of the size that is searched.
    """
    tracker = Tracker(finder, threshold)
    waiting: deque[Frame] = deque()
    for frame in frames:
        tracker.feed(frame.index, Pyramid(_to_search(frame)))
        waiting.append(frame)
        if len(waiting) > RADIUS:
            yield from _faces_of(waiting.popleft(), tracker, which)
    while waiting:
        yield from _faces_of(waiting.popleft(), tracker, which)


def enlarged(landmarks: Points, factor: float) -> Points:
    """Return landmarks in a picture `factor` times as large; pixel centres lie at halves."""
    return np.asarray((landmarks + 0.5) * factor - 0.5, np.float32)


def area(face: Face) -> float:
    """Return the area of a face's box, in square pixels."""
    x0, y0, x1, y1 = face.box
    return (x1 - x0) * (y1 - y0)


def _faces_of(frame: Frame, tracker: Tracker, which: str) -> Iterator[tuple[Frame, tuple[Points, ...]]]:
    tracker.forget(frame.index - RADIUS)
    if frame.is_context:
        return
    factor = frame.picture.width / _search_size(frame)[0]
    faces = _wanted(tracker.faces(frame.index), which)
    yield frame, tuple(enlarged(face.landmarks, factor) for face in faces)


def _wanted(faces: tuple[Face, ...], which: str) -> tuple[Face, ...]:
    if which == "largest" and faces:
        return (max(faces, key=area),)
    return faces


def _search_size(frame: Frame) -> tuple[int, int]:
    """Return width and height of the picture that is searched."""
    width, height = frame.picture.width, frame.picture.height
    factor = min(1.0, LONGEST_SIDE_PX / max(width, height))
    return round(width * factor), round(height * factor)


def _to_search(frame: Frame) -> NDArray[np.uint8]:
    width, height = _search_size(frame)
    return np.asarray(frame.picture.to_ndarray(format="rgb24", width=width, height=height), np.uint8)
