"""One face of one frame: cut out as the network wants it, changed, and put back under a soft mask."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from workers.face import align
from workers.face.align import Matrix, Points
from workers.face.mask import Mask
from workers.face.pyramid import Pyramid
from workers.face.region import bounds, within
from workers.face.templates import landmarks_of
from workers.media.planes import Canvas, Rgb
from workers.swappers.identity.mask import box_mask

# Takes a crop (S, S, 3), RGB in 0..1, and returns it changed.
Change = Callable[[Rgb], Rgb]

#: From the eyes' centre to the mouth's, in pixels: in smaller faces nothing shows of another identity.
_LEAST_PX = 6.0


def change_face(canvas: Canvas, landmarks: Points, template: str, side_px: int, change: Change) -> bool:
    """Change the face with these landmarks (5, 2). Only pixels under the mask change.

    Return False, and change nothing, when the face is too small or outside the picture.
    """
    if np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[3:].mean(axis=0)) < _LEAST_PX:
        return False
    matrix = align.similarity(landmarks, landmarks_of(template, side_px))
    roi = canvas.fit(bounds(matrix, (0, 0), (side_px - 1, side_px - 1)))
    if roi[0] >= roi[2] or roi[1] >= roi[3]:
        return False
    sharp, local = canvas.read(roi), within(matrix, roi)
    crop = np.asarray(np.clip(Pyramid(sharp).crop(local, side_px), 0, 1), np.float32)
    difference, mask = _returned(sharp, change(crop), box_mask(side_px), local)
    canvas.add(roi, difference, mask)
    return True


def _returned(sharp: Rgb, changed: Rgb, mask: Mask, matrix: Matrix) -> tuple[Rgb, Mask]:
    """Return the change that a crop makes to the sharp region, and the mask as it lies there."""
    size = (sharp.shape[1], sharp.shape[0])
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid_mask = np.asarray(cv2.warpAffine(mask, matrix, size, flags=back), np.float32)
    laid = cv2.warpAffine(changed, matrix, size, flags=back, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((laid - sharp) * laid_mask[..., None], np.float32), laid_mask
