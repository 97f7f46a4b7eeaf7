"""A face's outline from many landmarks: the convex hull of all of them, and of the brows, lifted."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from workers.face.align import Points

#: Of the way from an eye's middle to its brow: how far the outline reaches above the brow. Landmarks end at
#: the brows, faces do not; half of that way is what DeepFaceLab (`expand_eyebrows`) and faceswap take.
_LIFT = 0.5

_LEAST_AREA = 1.0  # square pixels: less is no outline


class _Scheme(NamedTuple):
    """Which landmarks are brows, and which the eyes below them; image-left first."""

    brows: tuple[slice, slice]
    eyes: tuple[slice, slice]


#: By the number of landmarks: 106 as InsightFace numbers them, 68 as iBUG's 300-W does.
_SCHEMES = {
    106: _Scheme(brows=(slice(43, 52), slice(97, 106)), eyes=(slice(33, 43), slice(87, 97))),
    68: _Scheme(brows=(slice(17, 22), slice(22, 27)), eyes=(slice(36, 42), slice(42, 48))),
}

#: How many landmarks are understood, the more the better.
SIZES = tuple(_SCHEMES)


def outline_of(landmarks: Points) -> Points | None:
    """Return the outline (N, 2) that 106 or 68 landmarks (K, 2) tell: convex, with some of the forehead.

    None where they tell none: they lie on a line, or are not finite.
    """
    if not np.isfinite(landmarks).all():
        return None
    scheme = _SCHEMES[len(landmarks)]
    lifted = [
        landmarks[brow] + _LIFT * (landmarks[brow].mean(axis=0) - landmarks[eye].mean(axis=0))
        for brow, eye in zip(*scheme, strict=True)
    ]
    hull = cv2.convexHull(np.concatenate([landmarks, *lifted]).astype(np.float32))
    if cv2.contourArea(hull) < _LEAST_AREA:
        return None
    return np.asarray(hull, np.float32).reshape(-1, 2)
