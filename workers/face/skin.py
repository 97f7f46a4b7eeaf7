"""Where a portrait shows skin, and where hair, a hat or a fringe lies over the face's outline."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import CROP_SPAN
from workers.face.mask import Mask, hull_mask
from workers.face.shape import Pose

# The part that always belongs to the face, whatever its colour (eyes, lips, beard, shade beside the nose):
# the model's points from the brows to above the chin. Only between it and the outline can hair or neck be.
_INNER = np.array(
    [
        [-28, -13, -4], [0, -17, 1], [28, -13, -4], [31, 4, -10], [31, 22, -10], [26, 38, -8],
        [14, 50, -1], [0, 53, 3], [-14, 50, -1], [-26, 38, -8], [-31, 22, -10], [-31, 4, -10],
    ],
    np.float32,
)  # fmt: skip
_INNER_FEATHER = 5.0  # template units
# Skin is what is no further from the cheeks' typical colour than this many of their own spreads, in Lab ...
_SURE, _NOT = 2.0, 3.5
# ... where a spread is at least this (Lab units of OpenCV's float conversion: L 0..100): light and shade on a
# face differ more than on the cheeks alone, its hue hardly.
_LEAST_SPREAD = np.array([9.0, 3.5, 4.0], np.float32)


def face_region(crop: NDArray[np.float32], pose: Pose, outline_mask: Mask) -> Mask:
    """Return how much each pixel of an upright `crop` (S, S, 3; RGB in 0..1) is face: (S, S) in 0..1.

    `pose` is in the crop's pixels, `outline_mask` the face's `hull_mask`. Nothing outside of that is added,
    and what lies behind something else, as seen from the middle of the face, is not face: a fringe hides the
    forehead above it.
    """
    side_px = crop.shape[0]
    unit_px = side_px / CROP_SPAN
    outline = _convex(pose.project(_INNER))
    inner = hull_mask(outline, side_px, _INNER_FEATHER)
    likely = np.maximum(skin_likeness(crop, inner), inner)
    closed = cv2.morphologyEx(likely, cv2.MORPH_CLOSE, _disc(1.5 * unit_px))  # over pores and glints
    seen = _seen_from(outline.mean(axis=0), np.asarray(closed, np.float32))
    drawn_in = cv2.erode(seen, _disc(2.5 * unit_px))
    soft = cv2.GaussianBlur(drawn_in, (0, 0), 2.5 * unit_px)
    return np.asarray(np.clip(np.maximum(soft, inner), 0, 1) * outline_mask, np.float32)


def _seen_from(centre: NDArray[np.float32], likely: Mask) -> Mask:
    """Return for each pixel the least value on its way to `centre`: the part that is star-shaped about it.

    Beyond the picture nothing is face. OpenCV would leave what lies there as the memory happens to be: once
    in a while that is no number, and a filter spreads it over the whole face.
    """
    side_px = likely.shape[0]
    reach = (int(side_px * 0.75), 2 * side_px)  # rays run to the corners; angles as fine as pixels at the rim
    middle = (float(centre[0]), float(centre[1]))
    out = cv2.WARP_POLAR_LINEAR | cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
    rays = cv2.warpPolar(likely, reach, middle, reach[0], out)
    least = np.minimum.accumulate(rays, axis=1)
    back = out | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPolar(least, (side_px, side_px), middle, reach[0], back), np.float32)


def skin_likeness(crop: NDArray[np.float32], inner: Mask) -> Mask:
    """Return by colour how much each pixel is skin, judged by the median and spread where `inner` is high."""
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2Lab)
    sample = lab[inner > 0.5]  # noqa: PLR2004  the mask's middle
    middle = np.median(sample, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(sample - middle), axis=0), _LEAST_SPREAD)  # as a Gaussian's
    distance = np.sqrt((((lab - middle) / spread) ** 2).sum(axis=2))
    return np.asarray(np.clip((_NOT - distance) / (_NOT - _SURE), 0, 1), np.float32)


def _convex(points: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.convexHull(points), np.float32).reshape(-1, 2)


def _disc(radius_px: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
