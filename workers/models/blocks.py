"""The blocks of a UNet. Each convolution is followed by a batch norm, which folds into it for inference."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvNormAct(nn.Module):
    """A 3 x 3 convolution, batch norm and SiLU, in this order and under these names."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(num_in, num_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(num_out)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, num_out, H, W) for (N, num_in, H, W)."""
        activated: Tensor = self.act(self.norm(self.conv(x)))
        return activated


class ConvBlock(nn.Sequential):
    """Two convolutions at one resolution."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__(ConvNormAct(num_in, num_out), ConvNormAct(num_out, num_out))


class DownBlock(nn.Module):
    """Halves the resolution by averaging, then a ConvBlock."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.block = ConvBlock(num_in, num_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, num_out, H / 2, W / 2) for (N, num_in, H, W)."""
        halved: Tensor = self.block(functional.avg_pool2d(x, 2))
        return halved


class UpBlock(nn.Module):
    """Doubles the resolution, joins the encoder's features of that resolution, then a ConvBlock."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.block = ConvBlock(num_in + num_out, num_out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return (N, num_out, 2 H, 2 W) for x (N, num_in, H, W) and skip (N, num_out, 2 H, 2 W)."""
        doubled = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        joined: Tensor = self.block(torch.cat((doubled, skip), 1))
        return joined
