"""The mask of a job's crops: the least of all kinds that were asked for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.face import align
from workers.face.align import ARCFACE_112, CROP_SPAN, Points
from workers.face.box_mask import BLUR, NO_PADDING, Padding, box_mask
from workers.face.mask import FEATHER, Mask, hull, hull_mask
from workers.face.shape import pose_of
from workers.masking.segmenters import FaceParser, Occluder
from workers.media.planes import Rgb

#: The blur of an outline's crop, as `box_mask` has it: a rim of a few hundredths.
_RIM = 0.06

#: What a mask is shown in, and how strongly.
_TINT, _STRENGTH = np.array([0.1, 0.9, 0.3], np.float32), np.float32(0.55)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """Which part of crops is changed. Crops are (S, S, 3), RGB in 0..1; masks (S, S)."""

    own: Mask | None = None  # the engine's, of any size
    has_box: bool = False
    has_hull: bool = False
    blur: float = BLUR
    padding: Padding = NO_PADDING
    occluder: Occluder | None = None
    parser: FaceParser | None = None
    is_shown: bool = False  # the mask is drawn into the picture, and nothing else is changed

    def before(self, crop: Rgb, landmarks: Points, outline: Points | None = None) -> Mask:
        """Return what can be told of a crop before it is changed.

        The landmarks (5, 2) are in its pixels, and so is the face's `outline` (N, 2), convex, where a network
        has told it.
        """
        mask = np.ones(crop.shape[:2], np.float32)
        if self.own is not None:
            sized = cv2.resize(self.own, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            mask = np.asarray(sized, np.float32)
        if self.has_box:
            mask = np.minimum(mask, box_mask(len(crop), self.blur, self.padding))
        if self.has_hull:
            rim = box_mask(len(crop), _RIM)  # where a face is larger than its crop, that must not show
            mask = np.minimum(mask, np.minimum(rim, outline_mask(landmarks, len(crop), outline)))
        if self.occluder is not None:
            mask = np.minimum(mask, self.occluder.clear(crop))
        return mask

    def after(self, crop: Rgb, mask: Mask) -> Mask:
        """Return a crop's mask, less what turned out not to be face once it was changed."""
        return mask if self.parser is None else np.minimum(mask, self.parser.face(crop))

    def at_once(self, crop: Rgb, landmarks: Points, outline: Points | None = None) -> Mask:
        """Return all of it of the unchanged crop: for engines that lay a face over it."""
        return self.after(crop, self.before(crop, landmarks, outline))


def outline_mask(landmarks: Points, side_px: int, outline: Points | None = None) -> Mask:
    """Return the mask of a face's outline: `outline` (N, 2), or what five landmarks (5, 2) tell of it.

    Those and a coarse head know how the head is turned, and nothing of this jaw or this brow.
    """
    unit_px = align.scale_of(align.similarity(ARCFACE_112, landmarks))
    convex = hull(pose_of(landmarks)) if outline is None else outline
    # `hull_mask` counts in template units, of which its own crops have `CROP_SPAN`.
    return hull_mask(convex, side_px, FEATHER * unit_px * CROP_SPAN / side_px)


def tinted(crop: Rgb) -> Rgb:
    """Return a crop in the colour that masks are shown in."""
    return np.asarray(crop + _STRENGTH * (_TINT - crop), np.float32)
