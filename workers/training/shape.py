"""Who a drawn face is: the proportions of its head and features, and where it lies in its crop."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a face lies in a square crop. Lengths are fractions of the crop's side."""

    x: float
    y: float
    radius: float  # half of the face's width
    angle_deg: float
    turn: float  # -1..1 of the face's width: how far the features are shifted by turning the head


@dataclass(frozen=True, slots=True)
class FaceShape:
    """The proportions of a face. Lengths are in face widths: u, v with the face's half width as 1."""

    pose: Pose
    aspect: float  # height by width
    jaw: float  # how much it narrows downwards
    eye_x: float
    eye_y: float
    eye_width: float
    eye_open: float
    iris: tuple[float, float, float]  # linear RGB
    brow_rise: float
    brow_thick: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lip_thick: float
    mouth_open: float
    lip_red: float
    hairline: float
    hair_long: float  # how far it falls, in v
    beard: float  # 0..1
    glasses: float  # thickness; 0 is none
    seed: int  # of the skin's and the hair's texture


def sample_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose as `workers.face.align` leaves it: near the middle, nearly upright, radius about 0.23."""
    return Pose(
        x=float(rng.normal(0.5, 0.03)),
        y=float(rng.normal(0.48, 0.035)),
        radius=float(rng.uniform(0.19, 0.33)),
        angle_deg=float(rng.normal(0.0, 5.0)),
        turn=float(rng.normal(0.0, 0.1)),
    )


def sample_shape(rng: np.random.Generator) -> FaceShape:
    """Draw a face."""
    return FaceShape(
        pose=sample_pose(rng),
        aspect=float(rng.uniform(1.22, 1.5)),
        jaw=float(rng.uniform(0.05, 0.4)),
        eye_x=float(rng.uniform(0.36, 0.46)),
        eye_y=float(rng.uniform(-0.26, -0.12)),
        eye_width=float(rng.uniform(0.15, 0.22)),
        eye_open=float(rng.uniform(0.03, 0.11)),
        iris=(float(rng.uniform(0.02, 0.2)), float(rng.uniform(0.02, 0.2)), float(rng.uniform(0.01, 0.3))),
        brow_rise=float(rng.uniform(0.16, 0.26)),
        brow_thick=float(rng.uniform(0.02, 0.06)),
        brow_tilt=float(rng.normal(0.0, 0.12)),
        nose_length=float(rng.uniform(0.3, 0.48)),
        nose_width=float(rng.uniform(0.12, 0.24)),
        mouth_y=float(rng.uniform(0.56, 0.74)),
        mouth_width=float(rng.uniform(0.26, 0.44)),
        lip_thick=float(rng.uniform(0.05, 0.12)),
        mouth_open=float(max(0.0, rng.normal(0.0, 0.05))),
        lip_red=float(rng.uniform(0.1, 1.0)),
        hairline=float(rng.uniform(-1.15, -0.7)),
        hair_long=float(rng.uniform(-0.6, 1.8)),
        beard=float(max(0.0, rng.uniform(-1.5, 0.9))),
        glasses=float(rng.uniform(0.02, 0.045)) if rng.random() < 0.12 else 0.0,  # noqa: PLR2004 - a share
        seed=int(rng.integers(2**32)),
    )


def placed(shape: FaceShape, pose: Pose) -> FaceShape:
    """Return `shape` at `pose`: what aligning one face to another's landmarks does."""
    return dataclasses.replace(shape, pose=pose)


def face_plane(pose: Pose, size_px: int) -> tuple[Plane, Plane]:
    """Return u, v, each (size_px, size_px): every pixel's centre in face widths; v grows downwards."""
    across = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px
    x, y = across[None, :] - pose.x, across[:, None] - pose.y
    angle = np.radians(pose.angle_deg)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return ((x * cos + y * sin) / pose.radius).astype(np.float32), ((y * cos - x * sin) / pose.radius).astype(
        np.float32
    )
