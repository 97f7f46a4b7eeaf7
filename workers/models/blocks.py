"""The blocks of a UNet. Each convolution is followed by a batch norm, which folds into it for inference."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvNormAct(nn.Module):
    """A 3 x 3 convolution, batch norm and SiLU, in this order and under these names."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(num_in, num_out, 3, padding=1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(num_out)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, num_out, H, W) for (N, num_in, H, W)."""
        activated: Tensor = self.act(self.norm(self.conv(x)))
        return activated

    def fold(self) -> None:
        """Put the batch norm's running statistics into the convolution, for good; for inference only.

        What remains is one convolution with a bias, and an activation in place: each of its outputs is
        written once and changed once, where the batch norm and the activation wrote two more.
        """
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()
            self.act = nn.SiLU(inplace=True)


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


def fold_batch_norms(network: nn.Module) -> None:
    """Fold every `ConvNormAct` in `network`, which must be in eval mode, and stop its gradients.

    Raises:
        ValueError: the network is in training mode: its statistics still change.
    """
    if network.training:
        raise ValueError("only a network in eval mode is folded")
    network.requires_grad_(requires_grad=False)
    for module in network.modules():
        if isinstance(module, ConvNormAct):
            module.fold()
