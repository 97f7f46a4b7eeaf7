"""Soft masks of the part of a face that is fused, from its landmarks and pose."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import CROP_SPAN, Points
from workers.face.shape import BULGE, RIM, Pose

Mask = NDArray[np.float32]  # (S, S) in 0..1

FEATHER = 8.0  # template units over which the mask rises from its rim inwards
_COARSE_PX = 96  # masks are smooth: they are computed at this size and enlarged


def hull(pose: Pose) -> Points:
    """Return the outline (N, 2) of the face as the camera sees it: convex, clockwise.

    On a turned head the far cheek's bulge takes the place of the rim behind it, so that side shrinks.
    """
    points = np.concatenate([pose.project(RIM), pose.project(BULGE)])
    return np.asarray(cv2.convexHull(points), np.float32).reshape(-1, 2)


def hull_mask(outline: Points, side_px: int, feather: float = FEATHER) -> Mask:
    """Return a mask (side_px, side_px): 0 on and outside the convex `outline`, 1 from `feather` inwards.

    `outline` is in the crop's pixels; `feather` is in template units. The rise is smooth at both ends, and
    the mask moves with the outline by fractions of a pixel, so it does not crawl from frame to frame.
    """
    scale = _COARSE_PX / side_px
    depth = _depth_inside((outline + 0.5) * scale - 0.5, _COARSE_PX)
    rise = np.clip(depth / (feather * _COARSE_PX / CROP_SPAN), 0, 1)
    soft = np.asarray(rise * rise * (3 - 2 * rise), np.float32)
    return np.asarray(cv2.resize(soft, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.float32)


def core_of(mask: Mask) -> Mask:
    """Return the weights (S, S) by which colours are compared: the mask, less its outer half."""
    return np.asarray(np.clip(mask * 2 - 1, 0, 1), np.float32)


def _depth_inside(outline: Points, side_px: int) -> NDArray[np.float32]:
    """Return every pixel's distance to the nearest edge of a convex outline; negative outside."""
    edges = np.roll(outline, -1, axis=0) - outline
    length = np.hypot(edges[:, 0], edges[:, 1])
    edges, starts = edges[length > 0] / length[length > 0, None], outline[length > 0]
    normals = np.column_stack([-edges[:, 1], edges[:, 0]])
    if _signed_area(outline) < 0:
        normals = -normals
    offsets = -(normals * starts).sum(axis=1)
    axis = np.arange(side_px, dtype=np.float32)
    across = normals[:, :1] * axis + offsets[:, None]  # (edges, x)
    down = normals[:, 1:] * axis  # (edges, y)
    return np.asarray((across[:, None, :] + down[:, :, None]).min(axis=0), np.float32)


def _signed_area(outline: Points) -> float:
    x, y = outline[:, 0], outline[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
