"""A fused crop, on its way back into its frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.face.align import Matrix, Points
from workers.face.mask import Mask
from workers.face.region import Roi, bounds, within
from workers.face.tone import Tone, toned
from workers.media.planes import Canvas, Rgb

# The outer part of the mask's rise over which the sharp frame gives way to the crop, whose sampling differs.
_SEAM = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One face of one frame, fused. It changes nothing until it is put."""

    landmarks: Points  # (5, 2) in the frame's pixels
    matrix: Matrix  # from the frame to the crop
    fused: Rgb  # (S, S, 3)
    mask: Mask  # (S, S)
    tone: Tone
    outline: Points | None = None  # of the face, convex, in the frame's pixels; None: a network told none

    def put(self, canvas: Canvas, *, ratio: float, tone: Tone | None = None) -> None:
        """Add `ratio` of the change that the crop makes, `tone` added first, to the pixels under the mask."""
        roi = self.extent(canvas)
        fused = self.fused if tone is None else toned(self.fused, tone, self.mask)
        change, seam = _returned(canvas.read(roi), fused, self.mask, within(self.matrix, roi))
        canvas.add(roi, np.float32(ratio) * change, seam)

    def extent(self, canvas: Canvas) -> Roi:
        """Return the box in the frame around the mask, which is about a third of the crop."""
        return extent(canvas, self.matrix, self.mask)


def extent(canvas: Canvas, matrix: Matrix, mask: Mask) -> Roi:
    """Return the box in the frame around a crop's mask."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    last = mask.shape[0] - 1
    first = (max(0, x - 1), max(0, y - 1))
    return canvas.fit(bounds(matrix, first, (min(last, x + width), min(last, y + height))))


def _returned(sharp: Rgb, fused: Rgb, mask: Mask, matrix: Matrix) -> tuple[Rgb, Mask]:
    """Return the change that the fused crop makes to the sharp region, and where it makes one."""
    height, width = sharp.shape[:2]
    seam, back = np.asarray(np.clip(mask / _SEAM, 0, 1)), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid_seam = np.asarray(cv2.warpAffine(seam, matrix, (width, height), flags=back), np.float32)
    laid = cv2.warpAffine(fused, matrix, (width, height), flags=back, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((laid - sharp) * laid_seam[..., None], np.float32), laid_seam
