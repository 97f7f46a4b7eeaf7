"""A soft box: all of a crop but a rim, and but what is kept away from each side."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.mask import Mask

#: Of the crop's side: how wide the rim is, where the frame shows through. facefusion's box mask at its
#: defaults, which users of swap networks know.
BLUR = 0.3

#: top, right, bottom, left: in hundredths of the crop's side.
Padding = tuple[int, int, int, int]
NO_PADDING: Padding = (0, 0, 0, 0)

#: Of half the rim's width: what is quite empty; and the blur's sigma.
_ZERO_SHARE, _SIGMA_SHARE = 0.5, 0.25


@functools.lru_cache(maxsize=16)
def box_mask(side_px: int, blur: float = BLUR, padding: Padding = NO_PADDING) -> Mask:
    """Return a mask (S, S): 1 inside, falling softly to 0 before the crop's edge. Not to be written to.

    `blur`, 0..1 of the side, is the rim's width; `padding` keeps the box further away from each side.
    """
    top, right, bottom, left = padding
    mask = np.outer(_profile(side_px, blur, top, bottom), _profile(side_px, blur, left, right))
    mask = np.asarray(mask, np.float32)
    mask.setflags(write=False)
    return mask


def _profile(side_px: int, blur: float, first: int, last: int) -> NDArray[np.float32]:
    """Return the mask along one axis; `first` and `last` are the padding at its ends."""
    rim = int(side_px * blur / 2)
    empty = max(1, int(rim * _ZERO_SHARE))
    line = np.ones((1, side_px), np.float32)
    line[:, : max(empty, side_px * first // 100)] = 0
    line[:, side_px - max(empty, side_px * last // 100) :] = 0
    if not line.any() or rim == 0:
        return np.asarray(line[0], np.float32)
    soft = np.asarray(cv2.GaussianBlur(line, (0, 0), rim * _SIGMA_SHARE, sigmaY=1e-3), np.float32)[0]
    if first == last:
        soft = np.minimum(soft, soft[::-1])
    # The blur never quite ends: the outermost pixels must be exactly nothing, or its cut shows as a seam.
    edge = max(soft[0], soft[-1])
    return np.asarray(np.clip((soft - edge) / (soft.max() - edge), 0, 1), np.float32)
