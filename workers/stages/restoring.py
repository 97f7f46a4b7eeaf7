"""The faces of one frame, restored: each cut out, given back its detail, and put back as a change."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.face import align
from workers.face.align import Matrix, Points
from workers.face.pyramid import Pyramid
from workers.face.region import bounds, within
from workers.face.templates import landmarks_of
from workers.frames import Frame
from workers.masking.masks import Masks
from workers.media.planes import Canvas
from workers.stages.restorer import Restorer


def restored(frame: Frame, restorer: Restorer, masks: Masks, *, weight: float, fidelity: float) -> Frame:
    """Return the frame with the faces that were fused into it restored, `weight` of what that changes.

    `masks` tell which part of a crop is face: hair and background stay as they are, however a network paints
    them. Where a network changes nothing, and outside its faces, every sample keeps its value bit for bit.
    Faces that overlap see those before them as they are by then.
    """
    canvas = Canvas(frame.picture)
    outlines = frame.outlines or (None,) * len(frame.faces)
    for landmarks, outline in zip(frame.faces, outlines, strict=True):
        _restore(canvas, _Place(landmarks, outline), restorer, masks, weight=weight, fidelity=fidelity)
    return replace(frame, picture=canvas.picture)


class _Place(NamedTuple):
    """Where a face lies in its frame."""

    landmarks: Points
    outline: Points | None


def _restore(
    canvas: Canvas, face: _Place, restorer: Restorer, masks: Masks, *, weight: float, fidelity: float
) -> None:
    side_px = restorer.contract.side_px
    matrix = align.similarity(face.landmarks, landmarks_of(restorer.contract.template, side_px))
    roi = canvas.fit(bounds(matrix, (0, 0), (side_px - 1, side_px - 1)))
    if roi[0] >= roi[2] or roi[1] >= roi[3]:
        return
    local = within(matrix, roi)
    crop = np.asarray(np.clip(Pyramid(canvas.read(roi)).crop(local, side_px), 0, 1), np.float32)
    outline = None if face.outline is None else align.apply(matrix, face.outline)
    mask = masks.at_once(crop, align.apply(matrix, face.landmarks), outline)
    change = (restorer.restore(crop, fidelity) - crop) * (np.float32(weight) * mask[..., None])
    laid = _laid(np.dstack([change, mask]), local, (roi[2] - roi[0], roi[3] - roi[1]))
    canvas.add(roi, np.ascontiguousarray(laid[..., :3]), laid[..., 3])


def _laid(layers: NDArray[np.float32], matrix: Matrix, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return layers (S, S, C) of a crop as they lie in a region of the frame of this width and height.

    The change is laid, not the restored crop: what a crop is too small to hold stays in the frame.
    """
    return np.asarray(Pyramid(layers).laid(align.inverse(matrix), size), np.float32)
