"""The coarse model tells how a head is turned."""

import numpy as np
import pytest

from workers.face.align import ARCFACE_112
from workers.face.mask import hull
from workers.face.shape import MARKS, pose_of


def turned(yaw_rad: float, scale: float = 2.0) -> np.ndarray:
    """Return the model's landmarks as seen when the head turns to the image's right by `yaw_rad`."""
    x = MARKS[:, 0] * np.cos(yaw_rad) + MARKS[:, 2] * np.sin(yaw_rad)
    return np.column_stack([x, MARKS[:, 1]]).astype(np.float32) * scale + 200


def width_each_side(landmarks: np.ndarray) -> tuple[float, float]:
    """Return how far the outline reaches left and right of the line between eyes and mouth."""
    outline = hull(pose_of(landmarks))
    middle = landmarks[[0, 1, 3, 4], 0].mean()
    return float(middle - outline[:, 0].min()), float(outline[:, 0].max() - middle)


def test_template_looks_ahead():
    """The template is turned nowhere, and its outline is as wide on both sides."""
    pose = pose_of(ARCFACE_112)
    assert abs(pose.yaw_rad) < 0.03
    assert abs(pose.pitch_rad) < 0.03
    left, right = width_each_side(ARCFACE_112)
    assert left == pytest.approx(right, rel=0.03)


@pytest.mark.parametrize("yaw_rad", [-0.7, -0.35, 0.35, 0.7])
def test_yaw_is_found(yaw_rad):
    """A turned model's yaw comes back, drawn a little towards the camera."""
    found = pose_of(turned(yaw_rad)).yaw_rad
    assert 0.65 < found / yaw_rad < 1.05


def test_far_side_shrinks():
    """The more a head turns to the right, the less far its outline reaches there."""
    ratios = []
    for yaw_rad in (0.0, 0.3, 0.6, 0.9):
        left, right = width_each_side(turned(yaw_rad))
        ratios.append(right / left)
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] < 0.75


def test_pose_ignores_where_and_how_large():
    """Moving, scaling and tilting the landmarks in the plane does not change yaw and pitch."""
    plain = pose_of(turned(0.5))
    c, s = np.cos(0.4), np.sin(0.4)
    tilted = (turned(0.5) @ np.array([[c, s], [-s, c]], np.float32)) * 3.3 - 77
    other = pose_of(tilted.astype(np.float32))
    assert other.yaw_rad == pytest.approx(plain.yaw_rad, abs=1e-3)
    assert other.pitch_rad == pytest.approx(plain.pitch_rad, abs=1e-3)
