"""Drawn faces: the same for the same seed, and with the colours of people."""

import cv2
import numpy as np
import pytest

from workers.training.draw import draw_face
from workers.training.look import sample_look, sample_skin
from workers.training.pool import draw_abstract
from workers.training.recolour import recolour
from workers.training.region import draw_region
from workers.training.shape import face_plane, sample_pose, sample_shape


def face(seed, size_px=64):
    rng = np.random.default_rng(seed)
    return draw_face(sample_shape(rng), sample_look(rng), size_px)


def test_a_seed_always_draws_the_same_face():
    assert np.array_equal(face(5), face(5))
    assert not np.array_equal(face(5), face(6))


@pytest.mark.parametrize("seed", range(4))
def test_a_face_is_a_picture(seed):
    picture = face(seed)
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture.std() > 0.02


def test_skin_spans_light_and_dark_and_is_never_green_or_blue():
    rng = np.random.default_rng(0)
    skins = np.array([[sample_skin(rng) for _ in range(300)]])
    lab = cv2.cvtColor(skins, cv2.COLOR_LRGB2LAB)[0]
    assert lab[:, 0].min() < 35
    assert lab[:, 0].max() > 70
    assert lab[:, 1:].min() > 0


def test_recolouring_by_nothing_changes_nothing():
    picture = face(1)
    same = recolour(picture, np.random.default_rng(0), strength=0.0)
    np.testing.assert_allclose(same, picture, atol=1e-5)


def test_recolouring_changes_more_the_stronger_it_is():
    picture = face(1)
    changes = [
        np.abs(recolour(picture, np.random.default_rng(2), s) - picture).mean() for s in (0.2, 0.6, 1.0)
    ]
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("seed", range(4))
def test_a_region_covers_the_middle_of_the_face_and_nothing_far_away(seed):
    rng = np.random.default_rng(seed)
    pose = sample_pose(rng)
    mask = draw_region(pose, rng, 96)
    u, v = face_plane(pose, 96)
    assert mask.min() == 0
    assert mask[np.hypot(u, v) < 0.3].min() > 0.95
    assert mask[np.hypot(u, v) > 2.2].max() == 0


def test_an_abstract_picture_is_a_picture():
    picture = draw_abstract(np.random.default_rng(0), 64)
    assert picture.shape == (64, 64, 3)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture.std() > 0.02
