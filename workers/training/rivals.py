"""What the network has to beat: classical ways to settle a placed face, on the same composites."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.training.noise import Picture
from workers.training.pairs import Pair

_RING_PX = 0.08  # of the side: how far the ring around the mask reaches
_INSIDE = 0.5
_TINY = 1e-6


def leave(pair: Pair) -> Picture:
    """Return the plain composite."""
    return composite(pair.source, pair)


def match_ring(pair: Pair) -> Picture:
    """Match the source's mean and deviation, in Lab, to those of the target in a ring around the mask."""
    side = int(2 * round(_RING_PX * pair.mask.shape[0]) + 1)
    wide = cv2.dilate(pair.mask, np.ones((side, side), np.uint8))
    ring = (wide > _INSIDE) & (pair.mask <= _INSIDE)
    return composite(_matched(pair.source, pair.mask > _INSIDE, pair.target, ring), pair)


def match_inner(pair: Pair) -> Picture:
    """Match them to those of the target's own face, sharp: on a recoloured face, nearly the answer itself."""
    inside = pair.mask > _INSIDE
    return composite(_matched(pair.source, inside, pair.shown, inside), pair)


def poisson(pair: Pair) -> Picture:
    """Clone seamlessly (Perez et al., "Poisson Image Editing", SIGGRAPH 2003; OpenCV's), then feather."""
    inside = (pair.mask > 0.0).astype(np.uint8) * 255
    inside[[0, -1], :] = 0  # OpenCV needs a margin of one pixel
    inside[:, [0, -1]] = 0
    x, y, width, height = cv2.boundingRect(inside)
    middle = (x + width // 2, y + height // 2)
    cloned = cv2.seamlessClone(_bytes(pair.source), _bytes(pair.target), inside, middle, cv2.NORMAL_CLONE)
    return composite(cloned.astype(np.float32) / np.float32(255.0), pair)


def composite(settled: Picture, pair: Pair) -> Picture:
    """Return `settled` inside the mask and the target outside."""
    mask = pair.mask[..., None]
    return np.asarray(mask * settled + (1.0 - mask) * pair.target, np.float32)


def _matched(source: Picture, here: NDArray[np.bool_], like: Picture, there: NDArray[np.bool_]) -> Picture:
    ours, theirs = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB) for picture in (source, like))
    mean, wanted = ours[here].mean(axis=0), theirs[there].mean(axis=0)
    gain = theirs[there].std(axis=0) / np.maximum(ours[here].std(axis=0), _TINY)
    lab = ((ours - mean) * gain + wanted).astype(np.float32)
    return np.asarray(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0.0, 1.0), np.float32)


def _bytes(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(np.round(picture * 255.0), np.uint8)
