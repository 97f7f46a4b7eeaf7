"""Exercises as tensors, and the loss on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workers.models.unet import blur_inner
from workers.training.noise import Picture
from workers.training.pairs import Pair

_GRADIENT_WEIGHT = 0.5  # edges: half as much as colour
_TINY = 1.0  # pixels; an empty mask must not divide by 0


@dataclass(frozen=True, slots=True)
class Batch:
    """N exercises at S x S."""

    x: Tensor  # (N, 6, S, S): low-passed target, placed source
    mask: Tensor  # (N, 1, S, S)
    target: Tensor  # (N, 3, S, S)
    truth: Tensor  # (N, 3, S, S): already composited, so it equals `target` outside the mask


def to_batch(pairs: Sequence[Pair], device: torch.device | None = None) -> Batch:
    """Return the exercises as float32 tensors on `device`."""
    mask = torch.stack([torch.from_numpy(pair.mask)[None] for pair in pairs]).to(device)
    source, target, shown, truth = (
        _stacked([getattr(pair, name) for pair in pairs]).to(device)
        for name in ("source", "target", "shown", "truth")
    )
    low = torch.where(mask > 0.0, blur_inner(shown, mask), target)
    x = torch.cat((low, source), dim=1)
    return Batch(x, mask, target, mask * truth + (1.0 - mask) * target)


def settle_loss(fused: Tensor, batch: Batch) -> Tensor:
    """Return the mean absolute error in the mask, plus that of the differences between neighbours."""
    error = fused - batch.truth
    inside = batch.mask.sum() * 3 + _TINY
    slopes = (error[..., 1:] - error[..., :-1]).abs().sum() + (
        error[..., 1:, :] - error[..., :-1, :]
    ).abs().sum()
    return (error.abs().sum() + _GRADIENT_WEIGHT * slopes) / inside


def _stacked(pictures: Sequence[Picture]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
