"""Lays a source portrait over a target so that eyes, nose and mouth corners meet exactly.

Between the landmarks, and out to the rim of the face, the source bends as little as it can: a thin-plate spline
(Duchon 1977; Bookstein 1989, "Principal Warps"). The rim's points come from the posed model of both faces, so a
source that looks ahead narrows on the far side of a turned target.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import Points
from workers.face.shape import BULGE, MARKS, RIDGE, RIM, Pose, Solid

_NODES = 33  # the bend is smooth: it is computed at this many nodes a side, and interpolated
_REACH = 16.0  # template units over which a landmark takes its surroundings along; more, and noses pull brows
_RIM_SLACK = 0.02  # by how much the rim may give way, of the spline's own stiffness; landmarks give way by nothing


def controls(landmarks: Points, pose: Pose) -> Points:
    """Return the points (N, 2) that tie two faces together: the five landmarks, then the posed model's others.

    A face is not its model: what its landmarks are off by, the model's points near them are moved by, too.
    """
    solid = np.concatenate([RIM, BULGE, RIDGE])
    near = _closeness(solid, MARKS) @ np.linalg.inv(_closeness(MARKS, MARKS))
    moved = pose.project(solid) + near @ (landmarks - pose.project(MARKS))
    return np.concatenate([landmarks, moved]).astype(np.float32)


def bend(target: Points, source: Points, side_px: int) -> NDArray[np.float32]:
    """Return for each pixel of the target crop where it lies in the source crop: (side_px, side_px, 2), x and y.

    `target` and `source` are `controls` in their crops' pixels.
    """
    axis = np.linspace(0, side_px - 1, _NODES)
    nodes = np.stack(np.meshgrid(axis, axis), axis=2).reshape(-1, 2)
    placed = _spline(target / side_px, source / side_px, nodes / side_px) * side_px
    coarse = placed.reshape(_NODES, _NODES, 2).astype(np.float32)
    step = (_NODES - 1) / (side_px - 1)
    fine = cv2.warpAffine(
        coarse,
        np.array([[step, 0, 0], [0, step, 0]], np.float32),
        (side_px, side_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(fine, np.float32)


def lay(picture: NDArray[np.float32], bent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `picture` (S, S) or (S, S, C) as `bend` lays it over the target."""
    laid = cv2.remap(picture, bent, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, np.float32)


def _spline(knots: Points, values: Points, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the thin-plate spline through (knots, values) at `places` (M, 2)."""
    num = len(knots)
    known = np.asarray(knots, np.float64)
    slack = np.where(np.arange(num) < 5, 0.0, _RIM_SLACK)  # noqa: PLR2004  the landmarks come first
    system = np.zeros((num + 3, num + 3))
    system[:num, :num] = _stiffness(known, known) + np.diag(slack)
    system[:num, num:] = np.column_stack([np.ones(num), known])
    system[num:, :num] = system[:num, num:].T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    flat = np.column_stack([np.ones(len(places)), places])
    return np.asarray(_stiffness(places, known) @ weights[:num] + flat @ weights[num:])


def _stiffness(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return r^2 log r^2 for the distances between (N, 2) and (M, 2)."""
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


def _closeness(a: Solid, b: Solid) -> NDArray[np.float64]:
    """Return Gaussian weights (N, M) between points of the model, by their distance as seen from in front."""
    squared = ((a[:, None, :2] - b[None, :, :2]).astype(np.float64) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squared / (2 * _REACH**2)))
