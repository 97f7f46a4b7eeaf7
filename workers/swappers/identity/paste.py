"""The faces of one frame: cut out as the network wants them, and put back, changed, under a soft mask."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from workers.face import align
from workers.face.align import Matrix, Points
from workers.face.mask import Mask
from workers.face.pyramid import Pyramid
from workers.face.region import Roi, bounds, overlap, within
from workers.face.templates import landmarks_of
from workers.masking.masks import Masks, tinted
from workers.media.planes import Canvas, Rgb


class Target(NamedTuple):
    """A face to be changed."""

    crop: Rgb  # (S, S, 3), RGB in 0..1
    source: int  # the number of the source that it gets


class Person(NamedTuple):
    """Whose face is changed, in the frame's pixels."""

    landmarks: Points  # (5, 2)
    outline: Points | None  # (N, 2)
    source: int


#: Yields targets, is sent their crops changed, and returns whose faces were.
Changing: TypeAlias = Generator[list[Target], list[Rgb], list[Person]]

#: From the eyes' centre to the mouth's, in pixels: in smaller faces nothing shows of another identity.
_LEAST_PX = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """How faces are cut out, and which part of them is put back."""

    template: str  # a name in `workers.face.templates`
    side_px: int
    masks: Masks


def change_faces(
    canvas: Canvas,
    faces: Sequence[Points],
    sources: Iterable[int],
    cutting: Cutting,
    outlines: Sequence[Points | None] | None = None,
) -> Changing:
    """Change the faces with these landmarks (5, 2), each to its source. Only pixels under their masks change.

    `outlines` are the faces' own (N, 2), where they are known; all places are in the picture's pixels.
    Faces that are too small or outside the picture are left out. Where crops overlap, each shows what became
    of those before it; all others are asked for together.
    """
    cuts: list[_Cut] = []
    done: list[Person] = []
    told = outlines or (None,) * len(faces)
    for person in starmap(Person, zip(faces, told, sources, strict=True)):
        place = _place(canvas, person.landmarks, cutting)
        if place is None:
            continue
        if any(overlap(place[1], cut.roi) for cut in cuts):
            yield from _changed(canvas, cuts, cutting.masks)
            cuts = []
        cuts.append(_cut_out(canvas, person, place, cutting))
        done.append(person)
    if cuts:
        yield from _changed(canvas, cuts, cutting.masks)
    return done


class _Cut(NamedTuple):
    """A face, cut out, and where it lies."""

    roi: Roi
    sharp: Rgb  # the frame's pixels there
    matrix: Matrix  # from them to the crop
    target: Target
    mask: Mask  # of the crop, as far as it can be told before it is changed


def _changed(canvas: Canvas, cuts: Sequence[_Cut], masks: Masks) -> Generator[list[Target], list[Rgb], None]:
    """Have faces changed that do not touch, and put them back."""
    changed = yield [cut.target for cut in cuts]
    for cut, face in zip(cuts, changed, strict=True):
        crop = tinted(cut.target.crop) if masks.is_shown else face
        difference, laid = _returned(cut.sharp, crop, masks.after(face, cut.mask), cut.matrix)
        canvas.add(cut.roi, difference, laid)


def _place(canvas: Canvas, landmarks: Points, cutting: Cutting) -> tuple[Matrix, Roi] | None:
    """Return the way from the frame to a face's crop, and the box that it covers; None if it is left out."""
    if np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[3:].mean(axis=0)) < _LEAST_PX:
        return None
    last = cutting.side_px - 1
    matrix = align.similarity(landmarks, landmarks_of(cutting.template, cutting.side_px))
    roi = canvas.fit(bounds(matrix, (0, 0), (last, last)))
    return None if roi[0] >= roi[2] or roi[1] >= roi[3] else (matrix, roi)


def _cut_out(canvas: Canvas, person: Person, place: tuple[Matrix, Roi], cutting: Cutting) -> _Cut:
    matrix, roi = place
    sharp, local = canvas.read(roi), within(matrix, roi)
    crop = np.asarray(np.clip(Pyramid(sharp).crop(local, cutting.side_px), 0, 1), np.float32)
    outline = None if person.outline is None else align.apply(matrix, person.outline)
    mask = cutting.masks.before(crop, align.apply(matrix, person.landmarks), outline)
    return _Cut(roi=roi, sharp=sharp, matrix=local, target=Target(crop, person.source), mask=mask)


def _returned(sharp: Rgb, changed: Rgb, mask: Mask, matrix: Matrix) -> tuple[Rgb, Mask]:
    """Return the change that a crop makes to the sharp region, and the mask as it lies there."""
    size = (sharp.shape[1], sharp.shape[0])
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid_mask = np.asarray(cv2.warpAffine(mask, matrix, size, flags=back), np.float32)
    laid = cv2.warpAffine(changed, matrix, size, flags=back, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((laid - sharp) * laid_mask[..., None], np.float32), laid_mask
