"""Where a portrait shows its face, whatever the memory held that the answer is written into."""

import ctypes

import numpy as np
import pytest

from workers.face import skin
from workers.face.align import CROP_SIDES_PX

#: glibc's M_MMAP_THRESHOLD: larger blocks come zeroed, smaller ones as whoever had them last left them.
_MMAP_THRESHOLD = -3


def soil(side_px: int) -> None:
    """Leave memory behind that holds no numbers, in blocks of the sizes that are asked for next."""
    ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 25)  # where a process that has run for long is anyway
    shapes = [(2 * side_px, int(side_px * 0.75)), (side_px, side_px)]
    dirt = [np.full(shape, np.nan, np.float32) for shape in shapes for _ in range(4)]
    assert np.isnan(dirt[0]).all()


@pytest.mark.parametrize("side_px", CROP_SIDES_PX)
def test_what_is_seen_does_not_depend_on_what_the_memory_held(side_px):
    """Rays leave the picture, and its corners are farther away than rays reach: both places are nobody's."""
    centre = np.array([0.56, 0.45], np.float32) * side_px
    looks = []
    for _ in range(8):
        soil(side_px)
        looks.append(skin._seen_from(centre, np.ones((side_px, side_px), np.float32)))
    assert all(np.array_equal(look, looks[0]) for look in looks), "no number is equal to no number"
    middle = slice(side_px // 4, side_px * 3 // 4)
    assert (looks[0][middle, middle] > 0.999).all(), "nothing hides anything"
