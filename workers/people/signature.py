"""How a face looks at this moment: enough to tell it from others a moment later, and no more.

An upright thumbnail of the face, grey, less its mean and brought to length 1. Light, pose and expression
change it within seconds, so it says nothing of who somebody is: for that there are recognisers.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import ARCFACE_112, ARCFACE_SIDE, Points, similarity

Signature = NDArray[np.int8]  # (256,): rows of the thumbnail, 127 times a vector whose largest value is 1

_THUMB_PX = 16
_LEVELS = 127


def signature(gray: NDArray[np.uint8], landmarks: Points) -> Signature:
    """Return the signature of the face with these landmarks (5, 2) in a grey picture (H, W)."""
    goal = np.asarray(ARCFACE_112 * (_THUMB_PX / ARCFACE_SIDE), np.float32)
    # Sampled at twice the size, then averaged: one sample a pixel would take its noise along.
    large = cv2.warpAffine(
        gray,
        similarity(landmarks, goal * 2),
        (2 * _THUMB_PX, 2 * _THUMB_PX),
        borderMode=cv2.BORDER_REPLICATE,
    )
    thumb = np.asarray(cv2.resize(large, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA), np.float32)
    level = thumb - thumb.mean()
    return np.asarray(np.rint(_LEVELS * level / max(1.0, float(np.abs(level).max()))), np.int8).reshape(-1)


def alike(one: Signature, two: Signature) -> float:
    """Return the correlation of two signatures, -1..1."""
    a, b = one.astype(np.float64), two.astype(np.float64)
    return float(a @ b) / max(1.0, float(np.sqrt((a @ a) * (b @ b))))
