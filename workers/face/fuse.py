"""One face of one frame: the target cut out, the source laid over it, both fused, the result put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from broker.messages import FuseSpec
from workers.face import align
from workers.face.align import CROP_SIDES_PX, Matrix, Points
from workers.face.color import match
from workers.face.mask import Mask, hull, hull_mask
from workers.face.place import bend, controls, lay
from workers.face.pyramid import Pyramid
from workers.face.region import bounds, within
from workers.face.retouch import retouched
from workers.face.shape import pose_of
from workers.face.skin import face_region
from workers.media.planes import Canvas, Rgb

# Takes (target, placed source, mask) as float32 arrays (S, S, 3), (S, S, 3), (S, S); returns (S, S, 3).
Fuse = Callable[[Rgb, Rgb, Mask], Rgb]

# The outer part of the mask's rise over which the sharp frame gives way to the crop, whose sampling differs.
_SEAM = 0.25
_LEAST_SIDE_PX = 12.0  # of a face, by the template: smaller ones have nothing to fuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """A source face at every crop size, by side in pixels."""

    crops: dict[int, Rgb]  # (S, S, 3) in 0..1
    regions: dict[int, Mask]  # (S, S): where it is face, not hair
    controls: dict[int, Points]  # what ties it to a target, in the crop's pixels

    @classmethod
    def of(cls, picture: NDArray[np.uint8], landmarks: Points) -> Self:
        """Cut the face with these landmarks (5, 2) out of an RGB picture (H, W, 3)."""
        levels = Pyramid(picture)
        crops, regions, ties = {}, {}, {}
        for side_px in CROP_SIDES_PX:
            matrix = align.similarity(landmarks, align.template(side_px))
            marks = align.apply(matrix, landmarks)
            pose = pose_of(marks)
            crops[side_px] = np.asarray(levels.crop(matrix, side_px), np.float32) / np.float32(255)
            regions[side_px] = face_region(crops[side_px], pose, hull_mask(hull(pose), side_px))
            ties[side_px] = controls(marks, pose)
        return cls(crops=crops, regions=regions, controls=ties)


def fuse_face(canvas: Canvas, landmarks: Points, likeness: Likeness, fuse: Fuse, spec: FuseSpec) -> bool:
    """Put a source face over the one with these landmarks (5, 2). Only pixels under the mask change.

    `spec` says how much of it, and how its skin and light are retouched.
    Return False, and change nothing, when the face is too small or outside the picture.
    """
    side_px = align.crop_side(landmarks)
    matrix = align.similarity(landmarks, align.template(side_px))
    roi = canvas.fit(bounds(matrix, (0, 0), (side_px - 1, side_px - 1)))
    if _is_tiny(matrix, side_px) or roi[0] >= roi[2] or roi[1] >= roi[3]:
        return False
    sharp = canvas.read(roi)
    local = within(matrix, roi)
    target = np.asarray(np.clip(Pyramid(sharp).crop(local, side_px), 0, 1), np.float32)
    source, mask = _placed(align.apply(matrix, landmarks), likeness, target)
    fused = fuse(target, source, mask)
    fused = retouched(fused, mask, smoothing=spec.smoothing, brightness=spec.brightness)
    tight = canvas.fit(bounds(matrix, *_extent(mask)))  # the mask is about a third of the crop
    near = sharp[tight[1] - roi[1] : tight[3] - roi[1], tight[0] - roi[0] : tight[2] - roi[0]]
    change, seam = _returned(near, fused, mask, within(matrix, tight))
    canvas.add(tight, np.float32(spec.ratio) * change, seam)
    return True


def _placed(marks: Points, likeness: Likeness, target: Rgb) -> tuple[Rgb, Mask]:
    """Return the source as it lies over the target crop, in its colours, and the mask of both faces."""
    side_px = target.shape[0]
    pose = pose_of(marks)
    bent = bend(controls(marks, pose), likeness.controls[side_px], side_px)
    mask = hull_mask(hull(pose), side_px) * lay(likeness.regions[side_px], bent)
    source = lay(likeness.crops[side_px], bent)
    return match(source, target, mask), np.asarray(mask, np.float32)


def _returned(sharp: Rgb, fused: Rgb, mask: Mask, matrix: Matrix) -> tuple[Rgb, Mask]:
    """Return the change that the fused crop makes to the sharp region, and where it makes one."""
    height, width = sharp.shape[:2]
    seam, back = np.asarray(np.clip(mask / _SEAM, 0, 1)), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid_seam = np.asarray(cv2.warpAffine(seam, matrix, (width, height), flags=back), np.float32)
    laid = cv2.warpAffine(fused, matrix, (width, height), flags=back, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((laid - sharp) * laid_seam[..., None], np.float32), laid_seam


def _extent(mask: Mask) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and last pixel (x, y) of the box around the mask, one more on each side."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    last = mask.shape[0] - 1
    return (max(0, x - 1), max(0, y - 1)), (min(last, x + width), min(last, y + height))


def _is_tiny(matrix: Matrix, side_px: int) -> bool:
    face_px = side_px / align.scale_of(matrix) * align.ARCFACE_SIDE / align.CROP_SPAN
    return face_px < _LEAST_SIDE_PX
