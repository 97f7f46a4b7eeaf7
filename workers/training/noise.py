"""Smooth random fields: skin blotches, hair strands, clouds behind a head."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]  # (S, S) or (S, S, 3), RGB, usually in [0, 1]


def smooth_noise(
    rng: np.random.Generator, size_px: int, cells: tuple[int, int], channels: int = 1
) -> Picture:
    """Return (size_px, size_px[, channels]) of about unit variance; `cells` is rows, columns of features."""
    coarse = rng.standard_normal((*cells, channels)).astype(np.float32)
    field = cv2.resize(coarse, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field, np.float32)


def grain(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Picture:
    """Return Gaussian camera noise of standard deviation `sigma`, softened as by a demosaicing filter."""
    raw = rng.standard_normal(shape).astype(np.float32) * np.float32(sigma * 1.5)
    return np.asarray(cv2.GaussianBlur(raw, (3, 3), 0.6), np.float32)
