"""Which part of a crop is taken over: all of it but a soft rim."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from workers.face.mask import Mask

#: Of the crop's side: half as wide as the rim, where the frame shows through, and the blur's sigma as a share
#: of that. facefusion's box mask at its defaults, which users of these networks know.
_RIM = 0.15
_ZERO_SHARE, _SIGMA_SHARE = 0.5, 0.25


@functools.lru_cache(maxsize=8)
def box_mask(side_px: int) -> Mask:
    """Return a mask (S, S): 1 inside, falling softly to 0 before the crop's edge. Not to be written to."""
    rim = int(side_px * _RIM)
    empty = max(1, int(rim * _ZERO_SHARE))
    line = np.ones((1, side_px), np.float32)
    line[:, :empty] = line[:, -empty:] = 0
    soft = np.asarray(cv2.GaussianBlur(line, (0, 0), rim * _SIGMA_SHARE, sigmaY=1e-3), np.float32)[0]
    soft = np.minimum(soft, soft[::-1])
    # The blur never quite ends: the outermost pixels must be exactly nothing, or its cut shows as a seam.
    profile = np.clip((soft - soft[0]) / (soft.max() - soft[0]), 0, 1)
    mask = np.asarray(np.outer(profile, profile), np.float32)
    mask.setflags(write=False)
    return mask
