"""Arithmetic on boxes: rows of x0, y0, x1, y1 in pixels, half-open, as float arrays (N, 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.face.align import Matrix

Boxes = NDArray[np.float32]
_TINY_PX2 = 1e-6  # so that an empty box divides


def overlap(box: Boxes, boxes: Boxes, *, by_smaller: bool = False) -> NDArray[np.float32]:
    """Return the shared area of `box` (4,) with each of `boxes` (N, 4), in 0..1.

    It is relative to the union of the two areas or, with `by_smaller`, to the smaller of them.
    """
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area, areas = _area(box[None])[0], _area(boxes)
    whole = np.minimum(area, areas) if by_smaller else area + areas - shared
    return np.asarray(shared / np.maximum(whole, _TINY_PX2), dtype=np.float32)


def suppress(
    boxes: Boxes, scores: NDArray[np.float32], limit: float, *, by_smaller: bool = False
) -> NDArray[np.intp]:
    """Return the indices, best score first, that greedy non-maximum suppression keeps.

    A box falls when it overlaps a better one by more than `limit` (see `overlap`). Equal scores keep
    their order, so the answer never depends on chance.
    """
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlap(boxes[best], boxes[order], by_smaller=by_smaller) <= limit]
    return np.asarray(kept, dtype=np.intp)


def squared(boxes: Boxes) -> Boxes:
    """Return squares of the same centres whose side is the longer side of each box."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def shifted(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Move every edge by `offsets` (N, 4), which are in units of the box's own width and height."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + offsets * np.concatenate([size, size], axis=1), np.float32)


def crop_matrix(square: Boxes, side_px: int) -> Matrix:
    """Return the similarity that maps the square box (4,) to a crop of `side_px`, pixel centre to centre."""
    scale = side_px / max(float(square[2] - square[0]), _TINY_PX2)
    shift = (0.5 - square[:2]) * scale - 0.5
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], dtype=np.float32)


def _area(boxes: Boxes) -> NDArray[np.float32]:
    return np.asarray(np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1), np.float32)
