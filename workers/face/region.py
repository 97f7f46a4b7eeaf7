"""Where a crop lies in its frame."""

from __future__ import annotations

import math

import numpy as np

from workers.face import align
from workers.face.align import Matrix

Roi = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, half-open


def bounds(matrix: Matrix, first: tuple[int, int], last: tuple[int, int]) -> Roi:
    """Return the box in the frame around a box of the crop, given by its first and last pixel (x, y)."""
    (x0, y0), (x1, y1) = first, last
    corners = align.apply(
        align.inverse(matrix), np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], np.float32)
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    return math.floor(low[0]), math.floor(low[1]), math.ceil(high[0]) + 1, math.ceil(high[1]) + 1


def within(matrix: Matrix, roi: Roi) -> Matrix:
    """Return `matrix` for coordinates that start at the region's corner."""
    shift = matrix[:, 2] + matrix[:, :2] @ np.array(roi[:2], np.float32)
    return np.asarray(np.column_stack([matrix[:, :2], shift]), np.float32)


def overlap(one: Roi, other: Roi) -> bool:
    """Say whether two boxes share a pixel."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
