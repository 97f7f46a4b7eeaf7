"""Crops and networks to run: random pixels, random weights large enough to matter."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.models.dense import DenseConfig, DenseFusionUNet
from workers.models.network import FusionNetwork
from workers.models.unet import FusionConfig, FusionUNet, blur_inner

TINY = FusionConfig(width=4, depth=5)
DENSE = DenseConfig(width=2, max_factor=4)


def crops(num: int, side_px: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return x, mask and target; a third of the mask is 0, a third 1, the rest between."""
    made = torch.Generator().manual_seed(seed)
    target, source = (torch.rand(num, 3, side_px, side_px, generator=made) for _ in range(2))
    mask = (torch.rand(num, 1, side_px, side_px, generator=made) * 3 - 1).clamp(0, 1)
    return torch.cat((blur_inner(target, mask), source), 1), mask, target


def smooth_crops(num: int, side_px: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same of pictures without grain, which are what a tile's edge would show in."""
    x, mask, target = crops(num, side_px // 16, seed)
    up = nn.Upsample(scale_factor=16, mode="bilinear")
    return up(x), up(mask), up(target)


def network(config: FusionConfig | DenseConfig = TINY, seed: int = 0) -> FusionNetwork:
    """Return a network in eval mode; its residuals fill their bounds."""
    torch.manual_seed(seed)
    made = DenseFusionUNet(config) if isinstance(config, DenseConfig) else FusionUNet(config)
    nn.init.normal_(made.core.head.weight, std=0.3)
    return made.eval()
