"""A picture at falling sizes, so that small crops of large areas neither flicker nor cost much."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import Matrix, scale_of

Picture = NDArray[Any]  # (H, W, 3), uint8 or float32


class Pyramid:
    """A picture and its halves, quarters and so on, each made when first needed."""

    def __init__(self, picture: Picture) -> None:
        self._levels = [picture]

    @property
    def picture(self) -> Picture:
        """The picture itself (H, W, 3)."""
        return self._levels[0]

    def crop(self, matrix: Matrix, side_px: int) -> Picture:
        """Return the (side_px, side_px, 3) crop to which the similarity `matrix` maps the picture."""
        return self.laid(matrix, (side_px, side_px))

    def laid(self, matrix: Matrix, size: tuple[int, int]) -> Picture:
        """Return what of the picture lies in a box of this width and height, mapped by a similarity.

        Shrinking is done on the level that is less than twice too large, so bilinear sampling misses no
        pixel. Beyond the picture its edge pixels go on.
        """
        depth = max(0, math.floor(-math.log2(max(scale_of(matrix), 1e-6))))
        level = self._level(depth)
        return np.asarray(
            cv2.warpAffine(
                level,
                _from_level(matrix, depth),
                size,
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )

    def resized(self, scale: float) -> Picture:
        """Return the whole picture at `scale` (at most 1), sizes rounded up."""
        height, width = self.picture.shape[:2]
        size = (math.ceil(width * scale), math.ceil(height * scale))
        level = self._level(max(0, math.floor(-math.log2(scale))))
        return np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_LINEAR))

    def _level(self, depth: int) -> Picture:
        while len(self._levels) <= depth:
            last = self._levels[-1]
            height, width = last.shape[:2]
            size = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
            odd = 2 * size[1] - height, 2 * size[0] - width
            even = cv2.copyMakeBorder(last, 0, odd[0], 0, odd[1], cv2.BORDER_REPLICATE) if any(odd) else last
            self._levels.append(np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA)))
        return self._levels[depth]


def shrunk(picture: Picture, longest_px: int) -> tuple[Picture, float]:
    """Return `picture`, its longest side now at most `longest_px`, and the factor (at most 1) that took."""
    factor = min(1.0, longest_px / max(picture.shape[:2]))
    if factor == 1.0:
        return picture, factor
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)), factor


def _from_level(matrix: Matrix, depth: int) -> Matrix:
    """Return `matrix` for the level `depth`, whose pixel centres lie at (x + 1/2) 2^depth - 1/2."""
    factor = 2.0**depth
    shift = matrix[:, 2] + matrix[:, :2] @ np.full(2, (factor - 1) / 2, np.float32)
    return np.asarray(np.column_stack([matrix[:, :2] * factor, shift]), dtype=np.float32)
