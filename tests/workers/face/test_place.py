"""A source is laid on the target's landmarks, exactly and without folds."""

import cv2
import numpy as np

from workers.face.align import template
from workers.face.color import match
from workers.face.place import bend, controls, lay
from workers.face.shape import pose_of

SIDE_PX = 256
SOURCE = template(SIDE_PX)
TARGET = SOURCE + np.array([[3, -2], [-4, 1], [9, 3], [-2, 4], [5, -3]], np.float32)


def bent() -> np.ndarray:
    return bend(controls(TARGET, pose_of(TARGET)), controls(SOURCE, pose_of(SOURCE)), SIDE_PX)


def test_landmarks_meet_exactly():
    """At each of the target's landmarks lies the source's, to a third of a pixel."""
    x, y = TARGET[:, 0].copy(), TARGET[:, 1].copy()
    found = np.stack([cv2.remap(bent()[..., i].copy(), x, y, cv2.INTER_LINEAR)[:, 0] for i in (0, 1)], axis=1)
    np.testing.assert_allclose(found, SOURCE, atol=0.33)


def test_equal_faces_are_not_bent():
    """A face laid over itself stays where it is."""
    ties = controls(SOURCE, pose_of(SOURCE))
    place = bend(ties, ties, SIDE_PX)
    grid = np.stack(np.meshgrid(np.arange(SIDE_PX), np.arange(SIDE_PX)), axis=2)
    np.testing.assert_allclose(place, grid, atol=0.05)


def test_nothing_folds():
    """Neighbouring pixels keep their order and about their distance over the whole face."""
    place = bent()[40:230, 50:206]
    assert np.diff(place[..., 0], axis=1).min() > 0.3
    assert np.diff(place[..., 1], axis=0).min() > 0.3
    assert np.diff(place[..., 0], axis=1).max() < 3


def test_lay_takes_pictures_and_masks():
    """Three channels and one are laid alike."""
    ramp = np.tile(np.linspace(0, 1, SIDE_PX, dtype=np.float32), (SIDE_PX, 1))
    three = lay(np.dstack([ramp] * 3), bent())
    assert three.shape == (SIDE_PX, SIDE_PX, 3)
    np.testing.assert_allclose(three[..., 1], lay(ramp, bent()), atol=1e-6)


def test_colours_match_where_the_mask_is():
    """A recoloured copy of a picture comes back to it under the mask, within bounds everywhere."""
    rng = np.random.default_rng(5)
    smooth = cv2.GaussianBlur(rng.random((SIDE_PX, SIDE_PX, 3)).astype(np.float32), (0, 0), 6)
    target = np.clip((smooth - smooth.mean()) * 3 + np.array([0.6, 0.45, 0.38], np.float32), 0, 1)
    source = np.clip(target * np.array([0.8, 0.9, 1.0], np.float32) + 0.1, 0, 1)
    mask = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    mask[60:200, 70:190] = 1
    matched = match(source, target, mask)
    inside = mask > 0
    assert np.abs(matched - target)[inside].mean() < 0.25 * np.abs(source - target)[inside].mean()
    assert matched.min() >= 0
    assert matched.max() <= 1


def test_without_a_mask_colours_stay():
    """Where nothing is to be fused the source is left as it is."""
    source = np.full((SIDE_PX, SIDE_PX, 3), 0.3, np.float32)
    assert match(source, 1 - source, np.zeros((SIDE_PX, SIDE_PX), np.float32)) is source
