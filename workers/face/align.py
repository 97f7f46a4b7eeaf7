"""From five landmarks to an upright crop, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]  # (N, 2) x, y in pixels
Matrix = NDArray[np.float32]  # (2, 3): maps (x, y, 1) to (x, y)

# Where eyes, nose tip and mouth corners lie in an upright face of 112 x 112 pixels, image-left first: the
# template that ArcFace (Deng et al. 2019) and most face networks since align to.
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
ARCFACE_SIDE = 112.0
# That template ends at the chin and the brow. The crop shows 1.7 times as much, and more of it above, so that
# the whole face, its feathered rim and some surroundings fit.
CROP_SPAN = 1.7 * ARCFACE_SIDE
CROP_CENTRE = np.array([56.0, 66.0], dtype=np.float32)  # in the template's units: below the nose bridge

CROP_SIDES_PX = (128, 256, 512)  # few sizes, so that captured graphs and buffers are few
MAX_ENLARGEMENT = 1.3  # of the crop on its way back: more would show beside the sharp frame


def template(side_px: int) -> Points:
    """Return where the five landmarks lie in a crop of `side_px`."""
    return to_crop(ARCFACE_112, side_px)


def to_crop(points: Points, side_px: int) -> Points:
    """Return points (N, 2) given in the template's units as they lie in a crop of `side_px`."""
    return np.asarray((points - CROP_CENTRE) * (side_px / CROP_SPAN) + side_px / 2, dtype=np.float32)


def similarity(source: Points, target: Points) -> Matrix:
    """Return the turn, scale and shift that bring `source` (N, 2) nearest to `target`, by least squares.

    Umeyama's problem (1991) in the plane, where it has a closed form: as complex numbers, after both centres
    are taken off, the best factor is <source, target> / <source, source>. It never mirrors.

    Raises:
        ValueError: all source points coincide.
    """
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    a = _complex(source - from_centre)
    b = _complex(target - to_centre)
    spread = float(np.vdot(a, a).real)
    if spread == 0.0:
        raise ValueError("a similarity needs at least two different points")
    factor = np.vdot(a, b) / spread
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    shift = to_centre - turn @ from_centre
    return np.asarray(np.column_stack([turn, shift]), dtype=np.float32)


def inverse(matrix: Matrix) -> Matrix:
    """Return the matrix that undoes `matrix`; it must not flatten the plane."""
    turn = np.linalg.inv(matrix[:, :2].astype(np.float64))
    return np.asarray(np.column_stack([turn, -turn @ matrix[:, 2]]), dtype=np.float32)


def apply(matrix: Matrix, points: Points) -> Points:
    """Return `points` (N, 2) mapped by `matrix`."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


def scale_of(matrix: Matrix) -> float:
    """Return by how much a similarity enlarges."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def crop_side(landmarks: Points) -> int:
    """Return the smallest of `CROP_SIDES_PX` that need not be enlarged much to fit back, else the largest."""
    for side_px in CROP_SIDES_PX:
        if scale_of(similarity(template(side_px), landmarks)) <= MAX_ENLARGEMENT:
            return side_px
    return CROP_SIDES_PX[-1]


def _complex(points: Points) -> NDArray[np.complex128]:
    return points[:, 0].astype(np.float64) + 1j * points[:, 1].astype(np.float64)
