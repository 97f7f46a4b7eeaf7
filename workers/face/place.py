"""Lays a source portrait over a target so that eyes, nose and mouth corners meet exactly.

Between the landmarks, and out to the rim of the face, the source bends as little as it can: a thin-plate
spline (Duchon 1977; Bookstein 1989, "Principal Warps"). The other points come from the posed model of both
faces, so a source that looks ahead narrows on the far side of a turned target.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.align import Points
from workers.face.shape import BULGE, MARKS, RIDGE, RIM, Pose, Solid

_CELLS = 64  # a side; the bend is smooth: it is computed once a cell, and interpolated
_REACH = 16.0  # template units over which a landmark takes its surroundings along; more, and noses pull brows
_RIM_SLACK = (
    0.02  # by how much the rim may give way, of the spline's own stiffness; landmarks give way by nothing
)


def controls(landmarks: Points, pose: Pose) -> Points:
    """Return the points (N, 2) that tie two faces together: the five landmarks, then the posed model's.

    A face is not its model: what its landmarks are off by, the model's points near them are moved by, too.
    """
    solid = np.concatenate([RIM, BULGE, RIDGE])
    near = _closeness(solid, MARKS) @ np.linalg.inv(_closeness(MARKS, MARKS))
    moved = pose.project(solid) + near @ (landmarks - pose.project(MARKS))
    return np.concatenate([landmarks, moved]).astype(np.float32)


def bend(target: Points, source: Points, side_px: int) -> NDArray[np.float32]:
    """Return for each pixel of the target crop where it lies in the source crop: (side_px, side_px, 2).

    The last axis is x, y. `target` and `source` are `controls` in their crops' pixels; `side_px` is a
    multiple of 64.
    """
    step = side_px // _CELLS
    axis = np.arange(-1, _CELLS + 1) * step + (step - 1) / 2  # cell centres, one more on each side
    nodes = np.stack(np.meshgrid(axis, axis), axis=2).reshape(-1, 2)
    knots, values = target.astype(np.float64) / side_px, source.astype(np.float64) / side_px
    placed = _spline(knots, values, nodes / side_px) * side_px
    coarse = placed.reshape(_CELLS + 2, _CELLS + 2, 2).astype(np.float32)
    # A resize interpolates in full precision; a warp would step in 32nds of a cell, which shows.
    fine = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[step:-step, step:-step], np.float32)


def lay(picture: NDArray[np.float32], bent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `picture` (S, S) or (S, S, C) as `bend` lays it over the target."""
    laid = cv2.remap(picture, bent[..., 0], bent[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, np.float32)


def _spline(
    knots: NDArray[np.float64], values: NDArray[np.float64], places: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the thin-plate spline through (knots, values) at `places` (M, 2)."""
    num = len(knots)
    slack = np.where(np.arange(num) < 5, 0.0, _RIM_SLACK)  # noqa: PLR2004  the landmarks come first
    system = np.zeros((num + 3, num + 3))
    system[:num, :num] = _stiffness(knots, knots) + np.diag(slack)
    system[:num, num:] = np.column_stack([np.ones(num), knots])
    system[num:, :num] = system[:num, num:].T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    flat = np.column_stack([np.ones(len(places)), places])
    return np.asarray(_stiffness(places, knots) @ weights[:num] + flat @ weights[num:])


def _stiffness(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return r^2 log r^2 for the distances between (N, 2) and (M, 2)."""
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


def _closeness(a: Solid, b: Solid) -> NDArray[np.float64]:
    """Return Gaussian weights (N, M) between points of the model, by their distance as seen from in front."""
    squared = ((a[:, None, :2] - b[None, :, :2]).astype(np.float64) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squared / (2 * _REACH**2)))
