"""The faces of one frame: each target cut out, the source laid over it, both given away to be fused."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.messages import FuseSpec
from workers.face import align
from workers.face.align import CROP_SIDES_PX, Matrix, Points
from workers.face.color import match
from workers.face.mask import Mask, hull, hull_mask
from workers.face.patch import Patch, extent
from workers.face.place import bend, controls, lay
from workers.face.pyramid import Pyramid
from workers.face.region import Roi, bounds, overlap, within
from workers.face.retouch import retouched
from workers.face.shape import pose_of
from workers.face.skin import face_region
from workers.face.tone import tone_of
from workers.media.planes import Canvas, Rgb


class Crop(NamedTuple):
    """What is to be fused. Its first three fields are what `workers.face.modes` takes."""

    target: Rgb  # (S, S, 3)
    source: Rgb  # (S, S, 3), placed over the target and in its colours
    mask: Mask  # (S, S)
    face: int = 0  # which of its frame's faces it is

    @property
    def side_px(self) -> int:
        """Return S."""
        return len(self.mask)


#: Yields crops, is sent them fused (S, S, 3), as often as it needs to, and returns the frame's patches.
Fusing: TypeAlias = Generator[list[Crop], list[Rgb], list[Patch]]

#: Says, of a crop (S, S, 3), its landmarks (5, 2) and the face's outline (N, 2), where that is known, how
#: much of each pixel may be changed: (S, S) in 0..1.
Cover: TypeAlias = Callable[[Rgb, Points, Points | None], Mask]

_LEAST_SIDE_PX = 12.0  # of a face, by the template: smaller ones have nothing to fuse


def _uncovered(crop: Rgb, landmarks: Points, outline: Points | None) -> Mask:
    del landmarks, outline
    return np.ones(crop.shape[:2], np.float32)


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
    canvas: Canvas,
    faces: Sequence[Points],
    likenesses: Sequence[Likeness],
    spec: FuseSpec,
    cover: Cover = _uncovered,
    *,
    outlines: Sequence[Points | None] | None = None,
) -> Fusing:
    """Fuse every face whose landmarks (5, 2) are given with its own source; the result is what is to be put.

    `spec` says how their skin and light are retouched, `cover` which pixels may change at all; it is told the
    faces' `outlines` (N, 2), in the picture's pixels like their landmarks. Faces that are too small or
    outside the picture are left out. Where faces overlap, each sees those before it as they will be: then
    `canvas` changes, else not, and only then the faces of a frame are not asked for together.
    """
    patches: list[Patch] = []
    cuts: list[_Cut] = []
    told = outlines or (None,) * len(faces)
    for number, (landmarks, likeness, outline) in enumerate(zip(faces, likenesses, told, strict=True)):
        if _are_under(canvas, landmarks, cuts):
            patches += yield from _fused(canvas, cuts, faces[number:], spec)
            cuts = []
        cut = _cut_out(canvas, _Face(number, landmarks, outline), likeness, cover)
        cuts += [] if cut is None else [cut]
    if cuts:
        patches += yield from _fused(canvas, cuts, (), spec)
    return patches


class _Face(NamedTuple):
    """A target, and its place among the frame's faces."""

    number: int
    landmarks: Points
    outline: Points | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A face, cut out, and what is needed to bring it back."""

    landmarks: Points
    outline: Points | None
    matrix: Matrix
    placed: Rgb  # the source over it, in its own colours
    crop: Crop

    def patch(self, fused: Rgb, spec: FuseSpec) -> Patch:
        target, mask = self.crop.target, self.crop.mask
        return Patch(
            landmarks=self.landmarks,
            outline=self.outline,
            matrix=self.matrix,
            fused=retouched(fused, mask, smoothing=spec.smoothing, brightness=spec.brightness),
            mask=mask,
            tone=tone_of(fused, self.placed, target, mask),
        )


def _fused(canvas: Canvas, cuts: Sequence[_Cut], later: Sequence[Points], spec: FuseSpec) -> Fusing:
    """Have faces fused, and put those that the `later` ones see."""
    fused = yield [cut.crop for cut in cuts]
    patches = [cut.patch(face, spec) for cut, face in zip(cuts, fused, strict=True)]
    for patch in patches:
        if any(overlap(patch.extent(canvas), _crop_of(canvas, landmarks)[2]) for landmarks in later):
            patch.put(canvas, ratio=spec.ratio)
    return patches


def _are_under(canvas: Canvas, landmarks: Points, cuts: Sequence[_Cut]) -> bool:
    """Say whether the crop of these landmarks shows any of the faces that are cut out."""
    roi = _crop_of(canvas, landmarks)[2] if cuts else None
    return roi is not None and any(overlap(extent(canvas, cut.matrix, cut.crop.mask), roi) for cut in cuts)


def _cut_out(canvas: Canvas, face: _Face, likeness: Likeness, cover: Cover) -> _Cut | None:
    matrix, side_px, roi = _crop_of(canvas, face.landmarks)
    if _is_tiny(matrix, side_px) or roi[0] >= roi[2] or roi[1] >= roi[3]:
        return None
    crop = Pyramid(canvas.read(roi)).crop(within(matrix, roi), side_px)
    target = np.asarray(np.clip(crop, 0, 1), np.float32)
    marks = align.apply(matrix, face.landmarks)
    placed, mask = _placed(marks, likeness, side_px)
    told = None if face.outline is None else align.apply(matrix, face.outline)
    mask = np.minimum(mask, cover(target, marks, told))
    ready = Crop(target=target, source=match(placed, target, mask), mask=mask, face=face.number)
    return _Cut(landmarks=face.landmarks, outline=face.outline, matrix=matrix, placed=placed, crop=ready)


def _crop_of(canvas: Canvas, landmarks: Points) -> tuple[Matrix, int, Roi]:
    """Return the way from the frame to a face's crop, the crop's side, and the box that it covers."""
    side_px = align.crop_side(landmarks)
    matrix = align.similarity(landmarks, align.template(side_px))
    return matrix, side_px, canvas.fit(bounds(matrix, (0, 0), (side_px - 1, side_px - 1)))


def _placed(marks: Points, likeness: Likeness, side_px: int) -> tuple[Rgb, Mask]:
    """Return the source as it lies over a target, in its own colours, and the mask of both faces."""
    pose = pose_of(marks)
    bent = bend(controls(marks, pose), likeness.controls[side_px], side_px)
    mask = hull_mask(hull(pose), side_px) * lay(likeness.regions[side_px], bent)
    return lay(likeness.crops[side_px], bent), np.asarray(mask, np.float32)


def _is_tiny(matrix: Matrix, side_px: int) -> bool:
    face_px = side_px / align.scale_of(matrix) * align.ARCFACE_SIDE / align.CROP_SPAN
    return face_px < _LEAST_SIDE_PX
