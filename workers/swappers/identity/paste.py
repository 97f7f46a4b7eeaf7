"""The faces of one frame: cut out as the network wants them, and put back, changed, under a soft mask."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from workers.face import align
from workers.face.align import Matrix, Points
from workers.face.mask import Mask
from workers.face.pyramid import Pyramid
from workers.face.region import Roi, bounds, overlap, within
from workers.face.templates import landmarks_of
from workers.media.planes import Canvas, Rgb
from workers.swappers.identity.mask import box_mask

#: Yields crops (S, S, 3), RGB in 0..1, is sent them changed, and returns the faces that were.
Changing: TypeAlias = Generator[list[Rgb], list[Rgb], list[Points]]

#: From the eyes' centre to the mouth's, in pixels: in smaller faces nothing shows of another identity.
_LEAST_PX = 6.0


def change_faces(
    canvas: Canvas, faces: Iterable[Points], template: str, side_px: int, mask: Mask | None = None
) -> Changing:
    """Change the faces with these landmarks (5, 2). Only pixels under their masks change: all but a soft rim.

    `mask` is another, of any size; it ends before the crop does.

    Faces that are too small or outside the picture are left out. Where crops overlap, each shows what became
    of those before it; all others are asked for together.
    """
    cuts: list[_Cut] = []
    done: list[Points] = []
    for landmarks in faces:
        place = _place(canvas, landmarks, template, side_px)
        if place is None:
            continue
        if any(overlap(place[1], cut.roi) for cut in cuts):
            yield from _changed(canvas, cuts, mask)
            cuts = []
        cuts.append(_cut_out(canvas, *place, side_px))
        done.append(landmarks)
    if cuts:
        yield from _changed(canvas, cuts, mask)
    return done


class _Cut(NamedTuple):
    """A face, cut out, and where it lies."""

    roi: Roi
    sharp: Rgb  # the frame's pixels there
    matrix: Matrix  # from them to the crop
    crop: Rgb


def _changed(
    canvas: Canvas, cuts: Sequence[_Cut], mask: Mask | None
) -> Generator[list[Rgb], list[Rgb], None]:
    """Have faces changed that do not touch, and put them back."""
    changed = yield [cut.crop for cut in cuts]
    for cut, face in zip(cuts, changed, strict=True):
        difference, laid = _returned(cut.sharp, face, _sized(mask, len(face)), cut.matrix)
        canvas.add(cut.roi, difference, laid)


def _place(canvas: Canvas, landmarks: Points, template: str, side_px: int) -> tuple[Matrix, Roi] | None:
    """Return the way from the frame to a face's crop, and the box that it covers; None if it is left out."""
    if np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[3:].mean(axis=0)) < _LEAST_PX:
        return None
    matrix = align.similarity(landmarks, landmarks_of(template, side_px))
    roi = canvas.fit(bounds(matrix, (0, 0), (side_px - 1, side_px - 1)))
    return None if roi[0] >= roi[2] or roi[1] >= roi[3] else (matrix, roi)


def _cut_out(canvas: Canvas, matrix: Matrix, roi: Roi, side_px: int) -> _Cut:
    sharp, local = canvas.read(roi), within(matrix, roi)
    crop = np.asarray(np.clip(Pyramid(sharp).crop(local, side_px), 0, 1), np.float32)
    return _Cut(roi=roi, sharp=sharp, matrix=local, crop=crop)


def _sized(mask: Mask | None, side_px: int) -> Mask:
    if mask is None:
        return box_mask(side_px)
    return np.asarray(cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.float32)


def _returned(sharp: Rgb, changed: Rgb, mask: Mask, matrix: Matrix) -> tuple[Rgb, Mask]:
    """Return the change that a crop makes to the sharp region, and the mask as it lies there."""
    size = (sharp.shape[1], sharp.shape[0])
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid_mask = np.asarray(cv2.warpAffine(mask, matrix, size, flags=back), np.float32)
    laid = cv2.warpAffine(changed, matrix, size, flags=back, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((laid - sharp) * laid_mask[..., None], np.float32), laid_mask
