"""The faces of one frame: each target cut out, the source laid over it, both fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from broker.messages import FuseSpec
from workers.face import align
from workers.face.align import CROP_SIDES_PX, Matrix, Points
from workers.face.color import match
from workers.face.mask import Mask, hull, hull_mask
from workers.face.patch import Patch
from workers.face.place import bend, controls, lay
from workers.face.pyramid import Pyramid
from workers.face.region import Roi, bounds, within
from workers.face.retouch import retouched
from workers.face.shape import pose_of
from workers.face.skin import face_region
from workers.face.tone import tone_of
from workers.media.planes import Canvas, Rgb

# Takes (target, placed source, mask) as float32 arrays (S, S, 3), (S, S, 3), (S, S); returns (S, S, 3).
Fuse = Callable[[Rgb, Rgb, Mask], Rgb]

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


def fuse_faces(
    canvas: Canvas, faces: Sequence[Points], likeness: Likeness, fuse: Fuse, spec: FuseSpec
) -> list[Patch]:
    """Fuse the source with every face whose landmarks (5, 2) are given, and return what is to be put.

    `spec` says how their skin and light are retouched. Faces that are too small or outside the picture are
    left out. Where faces overlap, each sees those before it as they will be: then `canvas` changes, else not.
    """
    patches: list[Patch] = []
    for number, landmarks in enumerate(faces):
        patch = _fused(canvas, landmarks, likeness, fuse, spec)
        if patch is None:
            continue
        patches.append(patch)
        if any(_overlap(patch.extent(canvas), _crop_of(canvas, later)[2]) for later in faces[number + 1 :]):
            patch.put(canvas, ratio=spec.ratio)
    return patches


def _fused(canvas: Canvas, landmarks: Points, likeness: Likeness, fuse: Fuse, spec: FuseSpec) -> Patch | None:
    matrix, side_px, roi = _crop_of(canvas, landmarks)
    if _is_tiny(matrix, side_px) or roi[0] >= roi[2] or roi[1] >= roi[3]:
        return None
    crop = Pyramid(canvas.read(roi)).crop(within(matrix, roi), side_px)
    target = np.asarray(np.clip(crop, 0, 1), np.float32)
    placed, mask = _placed(align.apply(matrix, landmarks), likeness, side_px)
    fused = fuse(target, match(placed, target, mask), mask)
    return Patch(
        landmarks=landmarks,
        matrix=matrix,
        fused=retouched(fused, mask, smoothing=spec.smoothing, brightness=spec.brightness),
        mask=mask,
        tone=tone_of(fused, placed, target, mask),
    )


def _crop_of(canvas: Canvas, landmarks: Points) -> tuple[Matrix, int, Roi]:
    """Return the way from the frame to a face's crop, the crop's side, and the box that it covers."""
    side_px = align.crop_side(landmarks)
    matrix = align.similarity(landmarks, align.template(side_px))
    return matrix, side_px, canvas.fit(bounds(matrix, (0, 0), (side_px - 1, side_px - 1)))


def _overlap(a: Roi, b: Roi) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _placed(marks: Points, likeness: Likeness, side_px: int) -> tuple[Rgb, Mask]:
    """Return the source as it lies over a target, in its own colours, and the mask of both faces."""
    pose = pose_of(marks)
    bent = bend(controls(marks, pose), likeness.controls[side_px], side_px)
    mask = hull_mask(hull(pose), side_px) * lay(likeness.regions[side_px], bent)
    return lay(likeness.crops[side_px], bent), np.asarray(mask, np.float32)


def _is_tiny(matrix: Matrix, side_px: int) -> bool:
    face_px = side_px / align.scale_of(matrix) * align.ARCFACE_SIDE / align.CROP_SPAN
    return face_px < _LEAST_SIDE_PX
