"""Five landmarks give an upright crop, and the way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.face import align
from workers.face.align import ARCFACE_112, CROP_SIDES_PX


@given(st.floats(-3, 3), st.floats(0.2, 8), st.floats(-500, 500), st.floats(-500, 500))
def test_similarity_recovers_a_known_one(turn, scale, x, y):
    """Points moved by a similarity give back that similarity."""
    a, b = scale * np.cos(turn), scale * np.sin(turn)
    known = np.array([[a, -b, x], [b, a, y]], np.float32)
    found = align.similarity(ARCFACE_112, align.apply(known, ARCFACE_112))
    np.testing.assert_allclose(found, known, atol=2e-3 * max(scale, 1) * 100 / 100, rtol=2e-3)


def test_similarity_is_the_least_squares_one():
    """No nearby similarity brings noisy points closer."""
    rng = np.random.default_rng(3)
    target = ARCFACE_112 * 2 + rng.normal(0, 4, (5, 2)).astype(np.float32)
    best = align.similarity(ARCFACE_112, target)
    least = ((align.apply(best, ARCFACE_112) - target) ** 2).sum()
    for _ in range(200):
        da, db, dx, dy = rng.normal(0, 0.02, 4)
        other = best + np.array([[da, -db, dx], [db, da, dy]], np.float32)
        assert ((align.apply(other, ARCFACE_112) - target) ** 2).sum() >= least - 1e-2


def test_similarity_never_mirrors():
    """Mirrored landmarks get a turn, not a flip."""
    mirrored = ARCFACE_112 * np.array([-1, 1], np.float32)
    matrix = align.similarity(ARCFACE_112, mirrored)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_coinciding_points_are_refused():
    """One point five times has no scale."""
    with pytest.raises(ValueError, match="two different"):
        align.similarity(np.ones((5, 2), np.float32), ARCFACE_112)


def test_inverse_undoes():
    """There and back is where it was."""
    matrix = align.similarity(ARCFACE_112, ARCFACE_112[:, ::-1].copy() * 3 + 100)
    back = align.apply(align.inverse(matrix), align.apply(matrix, ARCFACE_112))
    np.testing.assert_allclose(back, ARCFACE_112, atol=1e-3)


def test_template_lies_inside_the_crop():
    """At every size the landmarks lie in the middle half of the crop, at the same relative places."""
    for side_px in CROP_SIDES_PX:
        relative = align.template(side_px) / side_px
        assert relative.min() > 0.25
        assert relative.max() < 0.75
        np.testing.assert_allclose(relative, align.template(256) / 256, atol=1e-6)


@pytest.mark.parametrize(("factor", "side_px"), [(0.3, 128), (0.8, 128), (1.2, 256), (2.5, 512), (20, 512)])
def test_crop_grows_with_the_face(factor, side_px):
    """A crop is never enlarged by more than 1.3 on its way back while a larger size is left."""
    assert align.crop_side(ARCFACE_112 * np.float32(factor)) == side_px
