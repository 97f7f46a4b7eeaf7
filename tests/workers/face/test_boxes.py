"""Arithmetic on boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.face.align import apply
from workers.face.boxes import crop_matrix, overlap, shifted, squared, suppress

BOX = np.array([0, 0, 10, 10], np.float32)


def test_overlap_by_union_and_by_the_smaller():
    """Half of a box, all of a small one, and nothing."""
    others = np.array([[5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30], [0, 0, 10, 10]], np.float32)
    np.testing.assert_allclose(overlap(BOX, others), [1 / 3, 0.04, 0, 1], rtol=1e-5)
    np.testing.assert_allclose(overlap(BOX, others, by_smaller=True), [0.5, 1, 0, 1], rtol=1e-5)


def test_suppression_keeps_the_best_first():
    """The better of two near boxes stays; a far one stays as well; order is by score."""
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.9, 0.7], np.float32), 0.5).tolist() == [1, 2]


@given(
    st.lists(st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2, st.floats(0, 1)), max_size=12)
)
def test_survivors_are_apart_and_the_fallen_are_not(rows):
    """No two survivors overlap by more than the limit, and every other box overlaps a better survivor."""
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[4] for row in rows], np.float32)
    kept = suppress(boxes, scores, 0.4).tolist()
    for i in range(len(rows)):
        shares = overlap(boxes[i], boxes[kept]) if kept else np.empty(0)
        better = [
            share > 0.4 and scores[k] >= scores[i] for k, share in zip(kept, shares, strict=True) if k != i
        ]
        assert any(better) != (i in kept)


def test_square_keeps_the_centre_and_the_longer_side():
    """A wide box becomes a square around the same centre."""
    assert squared(np.array([[0, 10, 20, 14]], np.float32)).tolist() == [[0, 2, 20, 22]]


def test_shift_is_in_units_of_the_box():
    """An offset of 0.1 moves an edge by a tenth of the side."""
    moved = shifted(np.array([[0, 0, 10, 20]], np.float32), np.array([[0.1, 0.1, -0.1, 0]], np.float32))
    assert moved.tolist() == [pytest.approx([1, 2, 9, 20])]


def test_crop_matrix_maps_edges_to_edges():
    """The box's outer edges, half a pixel from pixel centres, become the crop's."""
    matrix = crop_matrix(np.array([10, 20, 58, 68], np.float32), 24)
    corners = apply(matrix, np.array([[9.5, 19.5], [57.5, 67.5]], np.float32))
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [23.5, 23.5]], atol=1e-4)
