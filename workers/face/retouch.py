"""What users may ask of a fused face besides being fused: calmer skin, more or less light.

The skin is smoothed by a guided filter, the picture its own guide (He, Sun, Tang 2010, "Guided Image
Filtering"): what varies less than its threshold over a few pixels goes, edges stay. It works where the colour
is skin's, so eyes, brows and lips keep their detail even where they are faint.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import CROP_SPAN
from workers.face.mask import Mask, core_of
from workers.face.skin import skin_likeness

Rgb = NDArray[np.float32]  # (S, S, 3) in 0..1

_REACH = 3.5  # template units: pores, lines and stubble are finer, the shape of a cheek is coarser
_EDGE = 0.12  # of the range 0..1: what varies less than this is texture, what varies more is an edge


def retouched(face: Rgb, mask: Mask, *, smoothing: float, brightness: float) -> Rgb:
    """Return `face` with its skin smoothed (0..1) and `brightness` (-1..1 of the range) added, under `mask`.

    With both at 0 that is `face` itself; where the mask (S, S) is 0 no value changes.
    """
    if smoothing > 0:
        skin = mask * skin_likeness(face, core_of(mask)) if core_of(mask).max() > 0 else mask
        face = np.asarray(face + smoothing * skin[..., None] * (_calmed(face) - face), np.float32)
    if brightness:
        face = np.clip(face + brightness * mask[..., None], 0, 1)
    return face


def _calmed(picture: Rgb) -> Rgb:
    side = 2 * max(1, round(_REACH * picture.shape[0] / CROP_SPAN)) + 1
    mean = _box(picture, side)
    variance = np.maximum(_box(picture * picture, side) - mean * mean, 0)
    kept = np.asarray(variance / (variance + _EDGE**2), np.float32)
    return np.asarray(_box(kept, side) * picture + _box(mean - kept * mean, side), np.float32)


def _box(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(picture, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
