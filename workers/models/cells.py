"""A coarse grid over a crop: averages, a Gaussian on them, and back up.

Sums are taken in a fixed order and each crop by itself, so the numbers do not depend on the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

GRID = 16  # cells a side; crops are squares of a multiple of this
SIGMA = 0.1  # the Gaussian's standard deviation, of the crop's side
# Of the 1.6 cells that this is, averaging into cells adds 1/12 cell^2 of variance and drawing them back up
# bilinearly 1/6: the Gaussian brings the rest.
_SIGMA_CELLS = ((SIGMA * GRID) ** 2 - 1 / 12 - 1 / 6) ** 0.5
_RADIUS = 5  # cells; beyond it the Gaussian has less than 0.1 % of its weight


def to_cells(picture: Tensor) -> Tensor:
    """Return the means of (N, C, S, S) over GRID x GRID cells."""
    return functional.avg_pool2d(picture, picture.shape[-1] // GRID)


def enlarge(cells: Tensor, size_px: int) -> Tensor:
    """Return a grid drawn up bilinearly to (N, C, size_px, size_px)."""
    return functional.interpolate(cells, size=(size_px, size_px), mode="bilinear", align_corners=False)


def enlarge_part(cells: Tensor, size_px: int, where: tuple[int, int, int, int]) -> Tensor:
    """Return the part of `enlarge(cells, size_px)` at x0, y0, x1, y1 (half-open), made in its own memory.

    Differs from it in the last bit at most; any two parts agree bit for bit where they overlap.
    """
    x0, y0, x1, y1 = where
    above, below, share = _between(cells, y0, y1, size_px)
    rows = torch.lerp(cells.index_select(2, above), cells.index_select(2, below), share[:, None])
    left, right, share = _between(cells, x0, x1, size_px)
    return torch.lerp(rows.index_select(3, left), rows.index_select(3, right), share)


def smooth(cells: Tensor) -> Tensor:
    """Return cells convolved with the Gaussian, weighing only those that exist."""
    return _along(_along(cells, dim=2), dim=3)


def _between(cells: Tensor, first: int, end: int, size_px: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for pixels [first, end), the two cells they lie between and how near each is to the second."""
    num, centres = cells.shape[-1], torch.arange(first, end, device=cells.device, dtype=cells.dtype) + 0.5
    at = (centres * (num / size_px) - 0.5).clamp(0, num - 1)
    low = at.floor()
    return low.long(), (low.long() + 1).clamp(max=num - 1), at - low


def _along(cells: Tensor, dim: int) -> Tensor:
    place = torch.arange(GRID, device=cells.device, dtype=cells.dtype)
    away = place[:, None] - place[None, :]
    weights = torch.exp(-(away**2) / (2 * _SIGMA_CELLS**2)) * (away.abs() <= _RADIUS)
    weights = weights / weights.sum(1, keepdim=True)
    shape = [1, 1, 1, 1]
    shape[dim] = GRID
    total = torch.zeros_like(cells)
    for index in range(GRID):
        total = total + weights[:, index].view(shape) * cells.narrow(dim, index, 1)
    return total
