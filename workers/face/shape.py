"""A face in three dimensions, coarse: enough to know which part of it a turned head shows, and where.

Units are those of the ArcFace template (112 to its side; about 1.8 mm). x grows to the image's right, y down,
z towards the camera; the origin lies between the eyes. The landmarks are the template's; depths and the other
points are set by hand after an average adult head (eyes 63 mm apart, face 135 mm wide, nose tip 30 mm before
the eyes). The rim is just wide enough to take in the brows: what it leaves of them shows as a second pair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.face.align import ARCFACE_112, Points, similarity

Solid = NDArray[np.float32]  # (N, 3)

_ORIGIN = np.array([56.0, 51.6], np.float32)
_MARK_DEPTHS = np.array([0.0, 0.0, 17.0, 3.0, 3.0], np.float32)


def _symmetric(half: list[tuple[float, float, float]]) -> Solid:
    """Return points given for x >= 0 with their mirror images, clockwise from the top."""
    right = np.array(half, np.float32)
    left = right[right[:, 0] > 0][::-1] * np.array([-1, 1, 1], np.float32)
    return np.concatenate([right, left])


MARKS: Solid = np.column_stack([(ARCFACE_112 - _ORIGIN), _MARK_DEPTHS]).astype(np.float32)
RIM: Solid = _symmetric(
    [
        (0, -36, 0), (16, -34, -2), (28, -27, -7), (36, -15, -14), (38, 0, -18), (38, 17, -19),
        (36, 33, -18), (31, 47, -14), (23, 60, -8), (12, 69, -2), (0, 71, 1),
    ]
)  # fmt: skip
# What bulges between rim and nose: when the head turns, these and no longer the far rim make the silhouette.
BULGE: Solid = _symmetric(
    [(14, -22, 2), (29, -9, -5), (30, 8, -8), (28, 22, -7), (24, 36, -5), (17, 52, -1), (7, 63, 3)]
)
# Brows, bridge of the nose and chin: they hold the surface, so that a turned nose pulls no brow along.
RIDGE: Solid = _symmetric(
    [(0, -14, 5), (10, -13, 4), (20, -14, 1), (0, 0, 7), (10, 4, 2), (8, 30, 6), (0, 50, 5)]
)

# A turn is only as sure as five points can make it; the guesses keep a stray landmark from spinning the head.
_YAW_GUESS_RAD, _PITCH_GUESS_RAD = 0.6, 0.2  # noses differ in length: that is no pitch
_MARK_NOISE = 2.5  # template units: how far landmarks stray from an average face's
_LARGEST_TURN_RAD = 1.1  # beyond it five landmarks say nothing any more
_ROUNDS = 8  # of Gauss-Newton; it settles within five


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How a head is turned, and the scaled, turned, shifted view of it (parallel projection)."""

    yaw_rad: float  # positive: towards the image's right
    pitch_rad: float  # positive: down
    view: NDArray[np.float32]  # (2, 4): maps (x, y, z, 1) to pixels

    def project(self, solid: Solid) -> Points:
        """Return where points (N, 3) of the face lie in the picture: (N, 2) in pixels."""
        return np.asarray(solid @ self.view[:, :3].T + self.view[:, 3], dtype=np.float32)


def pose_of(landmarks: Points) -> Pose:
    """Return the pose that shows the five landmarks (5, 2) nearest to where they are.

    For every yaw and pitch the best turn in the plane, scale and shift have a closed form (`similarity`);
    Gauss-Newton finds yaw and pitch, pulled towards the camera by the guesses above.
    """
    angles = np.zeros(2)
    for _ in range(_ROUNDS):
        error, slope = _error(angles, landmarks), _slope(angles, landmarks)
        step = np.linalg.solve(slope.T @ slope, slope.T @ error)
        angles = np.clip(angles - np.clip(step, -0.4, 0.4), -_LARGEST_TURN_RAD, _LARGEST_TURN_RAD)
    turn = _turn(angles)[:2]
    flat = np.asarray(MARKS @ turn.T, np.float32)
    matrix = similarity(flat, landmarks)
    view = np.column_stack([matrix[:, :2] @ turn, matrix[:, 2]]).astype(np.float32)
    return Pose(yaw_rad=float(angles[0]), pitch_rad=float(angles[1]), view=view)


def _turn(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    yaw, pitch = (float(v) for v in angles)
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    return np.asarray(about_x @ about_y)


def _error(angles: NDArray[np.float64], landmarks: Points) -> NDArray[np.float64]:
    """Return how far the picture's landmarks lie from the turned model's, (12,), each by its own spread."""
    flat = np.asarray(MARKS @ _turn(angles)[:2].T, np.float32)
    # The landmarks are brought to the model, not it to them, so that the spread is in the model's units.
    back = similarity(landmarks, flat)
    miss = landmarks @ back[:, :2].T + back[:, 2] - flat
    guess = angles / np.array([_YAW_GUESS_RAD, _PITCH_GUESS_RAD])
    return np.concatenate([miss.ravel() / _MARK_NOISE, guess])


def _slope(angles: NDArray[np.float64], landmarks: Points) -> NDArray[np.float64]:
    step = 1e-2
    columns = []
    for i in range(2):
        ahead, behind = angles.copy(), angles.copy()
        ahead[i] += step
        behind[i] -= step
        columns.append((_error(ahead, landmarks) - _error(behind, landmarks)) / (2 * step))
    return np.stack(columns, axis=1)
