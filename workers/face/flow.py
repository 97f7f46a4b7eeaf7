"""Follows a face from one picture to the next by its texture, where no detector helps."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import ARCFACE_112, Points, apply, scale_of, similarity

Gray = NDArray[np.uint8]  # (H, W)

# Where to look besides the landmarks: a grid over the inner face, in the template's units.
_GRID = np.stack(np.meshgrid(np.linspace(28, 84, 5), np.linspace(34, 104, 6)), axis=2).reshape(-1, 2)
_WINDOW_PX = 21
_LEVELS = 3  # of the flow's pyramid: motion up to 8 windows
_LEAST_SEEN = 0.4  # share of points that must come back to where they started
_RETURN_MISS = 0.03  # of the face's side: how far off they may come back
_ALIKE = 0.55  # normalised correlation of the two faces' upright thumbnails
_THUMB_PX = 32


def follow(before: Gray, after: Gray, landmarks: Points) -> Points | None:
    """Return where the landmarks (5, 2) of `before` lie in `after`, or None when the face is lost.

    Lucas and Kanade's flow (1981; the pyramid is Bouguet's) of points over the face, forth and back; a
    similarity through those that return carries the landmarks. The face is lost when few return, or when what
    lies there does not look like it.
    """
    to_picture = similarity(ARCFACE_112, landmarks)
    start = np.concatenate([landmarks, apply(to_picture, _GRID.astype(np.float32))])
    there = _flow(before, after, start)
    back = _flow(after, before, there)
    miss = np.linalg.norm(back - start, axis=1)
    side_px = scale_of(to_picture) * 112
    good = miss <= max(_RETURN_MISS * side_px, 1.0)
    if good.mean() < _LEAST_SEEN:
        return None
    moved = apply(_trimmed(start[good], there[good]), landmarks)
    return moved if _alike(before, landmarks, after, moved) else None


def _flow(before: Gray, after: Gray, points: Points) -> Points:
    start = points.reshape(-1, 1, 2).astype(np.float32)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, start.copy(), winSize=(_WINDOW_PX, _WINDOW_PX), maxLevel=_LEVELS
    )
    lost = np.where(found.reshape(-1, 1) == 1, 0.0, np.inf)
    return np.asarray(np.nan_to_num(there.reshape(-1, 2) + lost, posinf=1e6), np.float32)


def _trimmed(start: Points, there: Points) -> NDArray[np.float32]:
    """Return the similarity through most of the points: once through all, then without the worst quarter."""
    first = similarity(start, there)
    miss = np.linalg.norm(apply(first, start) - there, axis=1)
    kept = miss <= np.quantile(miss, 0.75)
    return similarity(start[kept], there[kept])


def _alike(before: Gray, old: Points, after: Gray, new: Points) -> bool:
    a, b = (_thumb(gray, marks) for gray, marks in ((before, old), (after, new)))
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum()) >= _ALIKE * float(np.sqrt((a * a).sum() * (b * b).sum()))


def _thumb(gray: Gray, landmarks: Points) -> NDArray[np.float32]:
    matrix = similarity(landmarks, np.asarray(ARCFACE_112 * (_THUMB_PX / 112), np.float32))
    thumb = cv2.warpAffine(gray, matrix, (_THUMB_PX, _THUMB_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(thumb, np.float32)
