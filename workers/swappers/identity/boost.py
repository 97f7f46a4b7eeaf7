"""Pixel boost: more detail from a small network, by showing it a large crop as interleaved small ones.

Every n-th pixel in both directions makes one sub-image: n x n of them, each the whole face at the network's
own size, each shifted by one pixel of the large crop. They go through as one batch and are woven together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Crop = NDArray[np.float32]  # (n S, n S, 3)
Crops = NDArray[np.float32]  # (n n, S, S, 3)


def unweave(crop: Crop, times: int) -> Crops:
    """Return a crop's `times` squared sub-images, row by row of their first pixels."""
    side_px = crop.shape[0] // times
    parts = crop.reshape(side_px, times, side_px, times, 3).transpose(1, 3, 0, 2, 4)
    return np.ascontiguousarray(parts.reshape(times * times, side_px, side_px, 3))


def weave(parts: Crops, times: int) -> Crop:
    """Return the crop whose sub-images these are."""
    side_px = parts.shape[1]
    crop = parts.reshape(times, times, side_px, side_px, 3).transpose(2, 0, 3, 1, 4)
    return np.ascontiguousarray(crop.reshape(side_px * times, side_px * times, 3))
