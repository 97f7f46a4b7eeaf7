"""One face in neighbouring frames: which it is, how far it went, and where it is in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workers.face.align import Points
from workers.face.boxes import overlap
from workers.frames import Face

_SAME = 0.3  # overlap by union of one face in neighbouring frames


def same_face(face: Face, faces: tuple[Face, ...]) -> Face | None:
    """Return which of `faces`, in the same or a neighbouring frame, is `face`; None when none is."""
    if not faces:
        return None
    box = np.asarray(face.box, np.float32)
    shares = overlap(box, np.asarray([other.box for other in faces], np.float32))
    best = int(shares.argmax())
    return faces[best] if shares[best] >= _SAME else None


def mean(window: list[Face], weights: Sequence[float]) -> Face:
    """Return the weighted mean of one face's boxes and landmarks, with the first one's score."""
    marks, box = (
        np.average(np.asarray(rows, np.float64), axis=0, weights=weights)
        for rows in ([face.landmarks for face in window], [face.box for face in window])
    )
    x0, y0, x1, y1 = (float(value) for value in box)
    return Face(box=(x0, y0, x1, y1), landmarks=marks.astype(np.float32), score=window[0].score)


def between(first: Face, last: Face, num: int) -> list[Face]:
    """Return `num` faces evenly on the way from `first` to `last`, neither of them included."""
    steps = [(i + 1) / (num + 1) for i in range(num)]
    return [mean([first, last], (1 - step, step)) for step in steps]


def met(face: Face, distance: int, others: list[tuple[Face, int]]) -> Face:
    """Return a face followed from one side, mixed with itself from the other; the nearer counts more."""
    other = same_face(face, tuple(candidate for candidate, _ in others))
    if other is None:
        return face
    far = next(steps for candidate, steps in others if candidate is other)
    share = distance / (distance + far)
    landmarks = face.landmarks * (1 - share) + other.landmarks * share
    return moved(face, landmarks.astype(np.float32))


def moved(face: Face, landmarks: Points) -> Face:
    """Return `face` with new landmarks, its box carried along."""
    shift = landmarks.mean(axis=0) - face.landmarks.mean(axis=0)
    x0, y0, x1, y1 = (float(v) for v in np.asarray(face.box, np.float32) + np.tile(shift, 2))
    return Face(box=(x0, y0, x1, y1), landmarks=landmarks, score=face.score)


def apart(a: Points, b: Points) -> float:
    """Return the mean distance of two sets of landmarks, relative to the spread of the second."""
    spread = float(np.linalg.norm(b - b.mean(axis=0), axis=1).mean())
    return float(np.linalg.norm(a - b, axis=1).mean()) / max(spread, 1e-6)
