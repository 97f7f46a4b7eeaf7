"""The colour gap between a placed source and its target: what a classical colour match would look at.

Given to the network as ready terms, it need not learn arithmetic, and a coefficient of 1 is a full match of
means or of deviations (Reinhard et al., "Color Transfer between Images", 2001).

The target's face is known low-passed only, so the surroundings have bled into it. The composite, low-passed
alike, has the same surroundings in it: their difference is the gap alone, blurred, without hair or sky.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from workers.models.cells import enlarge, smooth, to_cells

_TINY = 1e-4  # of a cell's mask: below it there is nothing to look at
_LEAST_STD = 0.01  # in [0, 1]: a flatter face has no deviation to match
_LIMIT = 0.7  # of the logarithm of the deviations' ratio: at most a factor of 2


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between source and target under the mask."""

    mean: Tensor  # (N, 3, 1, 1): the source's mean colour
    overall: Tensor  # (N, 3, 1, 1): target's mean colour less the source's
    local: Tensor  # (N, 3, GRID, GRID): the same in each neighbourhood, less `overall`
    stretch: Tensor  # (N, 3, 1, 1): log of the target's standard deviation by the source's

    def of(self, index: int) -> Gap:
        """Return one crop's, N = 1."""
        here = slice(index, index + 1)
        return Gap(self.mean[here], self.overall[here], self.local[here], self.stretch[here])


def colour_gap(seen: Tensor) -> Gap:
    """Compare the pictures in `seen`, (N, 7, T, T): the low-passed target, source times mask, the mask."""
    shown, placed, mask = seen[:, :3], seen[:, 3:6], seen[:, 6:]
    size_px = seen.shape[-1]
    low = enlarge(smooth(to_cells(placed + (1.0 - mask) * shown)), size_px)
    reach = enlarge(smooth(to_cells(mask)), size_px)  # how much of the blur's weight lies under the mask
    between, weight = to_cells(mask * (shown - low)), to_cells(mask * reach)
    overall = _sum(between) / (_sum(weight) + _TINY)
    local = _around(between - overall * weight) / (_around(weight) + _TINY)
    total = _sum(mask) + _TINY
    settled = low + overall * reach
    stretch = _log_std(shown, mask, total) - _log_std(settled, mask, total)
    return Gap(_sum(placed) / total, overall, local, stretch.clamp(-_LIMIT, _LIMIT))


def _around(grid: Tensor) -> Tensor:
    """Average over the neighbours, so that cells just beyond the mask continue it."""
    return functional.avg_pool2d(grid, 3, stride=1, padding=1)


def _log_std(picture: Tensor, mask: Tensor, total: Tensor) -> Tensor:
    mean = _sum(mask * picture) / total
    variance = _sum(mask * (picture - mean) ** 2) / total
    return 0.5 * torch.log(variance + _LEAST_STD**2)


def _sum(grid: Tensor) -> Tensor:
    return grid.sum(dim=(2, 3), keepdim=True)
