"""Crops of a large picture neither flicker nor shift."""

import numpy as np
import pytest

from workers.face.pyramid import Pyramid, shrunk


def ramp(width: int, height: int) -> np.ndarray:
    """Return a picture whose channels are x, y and a checkerboard."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.dstack([x, y, (x + y) % 2 * 200])


@pytest.mark.parametrize("scale", [2.0, 1.0, 0.7, 0.5, 0.3, 0.11])
@pytest.mark.parametrize("size", [(320, 320), (321, 323)])
def test_crop_shows_what_the_matrix_says(scale, size):
    """At any scale a crop's pixel shows what the matrix maps to it; fine patterns give their mean."""
    matrix = np.array([[scale, 0, 15 - 160 * scale], [0, scale, 15 - 140 * scale]], np.float32)
    crop = Pyramid(ramp(*size)).crop(matrix, 32)
    inside = crop[8:24, 8:24]
    axis = (np.arange(8, 24) - 15) / scale
    np.testing.assert_allclose(inside[..., 0].mean(axis=0), 160 + axis, atol=0.1 + 0.05 / scale)
    np.testing.assert_allclose(inside[..., 1].mean(axis=1), 140 + axis, atol=0.1 + 0.05 / scale)
    if scale <= 0.5:
        assert np.abs(inside[..., 2] - 100).max() < 1


def test_beyond_the_picture_its_edge_goes_on():
    """A crop that hangs over repeats the edge instead of going black."""
    picture = np.full((40, 40, 3), 90, np.uint8)
    crop = Pyramid(picture).crop(np.array([[1, 0, 30], [0, 1, 30]], np.float32), 64)
    assert (crop == 90).all()


def test_shrunk_only_shrinks():
    """The longest side comes down to the limit; smaller pictures stay themselves."""
    picture = np.zeros((300, 900, 3), np.uint8)
    small, factor = shrunk(picture, 300)
    assert small.shape == (100, 300, 3)
    assert factor == pytest.approx(1 / 3)
    same, factor = shrunk(picture, 900)
    assert same is picture
    assert factor == 1.0
