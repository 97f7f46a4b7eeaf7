"""The soft region of a face that a swap replaces."""

from __future__ import annotations

import cv2
import numpy as np

from workers.training.noise import Picture, smooth_noise
from workers.training.shape import Pose, face_plane

_BROW, _CHIN = -0.75, 1.15  # the region's usual ends, in face widths from the face's centre


def draw_region(pose: Pose, rng: np.random.Generator, size_px: int) -> Picture:
    """Return a mask, (S, S) in [0, 1], over the face at `pose`: uneven, feathered by 2 to 8 % of S."""
    u, v = face_plane(pose, size_px)
    brow, chin = _BROW + rng.normal(0, 0.1), _CHIN + rng.normal(0, 0.12)
    half, middle = (chin - brow) / 2, (chin + brow) / 2
    width = rng.uniform(0.72, 1.05)
    power = rng.uniform(2.0, 3.0)  # from an ellipse to nearly a rounded box
    away = (np.abs((u - pose.turn * 0.5) / width) ** power + np.abs((v - middle) / half) ** power) ** (
        1 / power
    )
    wobble = smooth_noise(rng, size_px, (5, 5)) * rng.uniform(0.0, 0.06)
    inside = (away + wobble < 1.0).astype(np.float32)
    feather = rng.uniform(0.02, 0.08) * size_px
    soft = cv2.GaussianBlur(inside, (0, 0), feather / 2)
    return _emptied(np.asarray(soft, np.float32))


def _emptied(soft: Picture) -> Picture:
    """Return `soft` with its faint ends at exactly 0 and 1: a Gaussian's tail would cover the whole crop."""
    return np.asarray(np.clip((soft - 0.04) / 0.92, 0.0, 1.0), np.float32)
