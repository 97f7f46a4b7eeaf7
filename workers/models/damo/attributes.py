"""The attribute encoder: a UNet of seven steps down and six up, whose features at eight scales are kept."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.1  # of its leaky rectifiers
_DOWN = ((3, 32), (32, 64), (64, 128), (128, 256), (256, 512), (512, 1024), (1024, 1024))
_UP = ((1024, 1024), (2048, 512), (1024, 256), (512, 128), (256, 64), (128, 32))


class Down(nn.Module):
    """Half the size: a convolution of 4 x 4, normalised."""

    def __init__(self, takes: int, gives: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(takes, gives, 4, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(gives)

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, takes, H, W), return (N, gives, H / 2, W / 2)."""
        return functional.leaky_relu(self.norm(self.conv(x)), _SLOPE)


class Up(nn.Module):
    """Twice the size, with the features of the way down beside."""

    def __init__(self, takes: int, gives: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(takes, gives, 4, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(gives)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """Take (N, takes, H, W) and (N, other, 2 H, 2 W), return (N, gives + other, 2 H, 2 W)."""
        risen = functional.leaky_relu(self.bn(self.deconv(x)), _SLOPE)
        return torch.cat((risen, beside), dim=1)


class AttributeEncoder(nn.Module):
    """Reads what of the target must stay: pose, light, expression. `narrow` divides the inner channels."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        for number, (takes, gives) in enumerate(_DOWN, start=1):
            self.add_module(f"conv{number}", Down(takes if number == 1 else takes // narrow, gives // narrow))
        for number, (takes, gives) in enumerate(_UP, start=1):
            self.add_module(f"deconv{number}", Up(takes // narrow, gives // narrow))

    def forward(self, target: Tensor) -> list[Tensor]:
        """Take crops (N, 3, 256, 256) in -1..1; return eight features, from 2 x 2 to 256 x 256."""
        falling = [target]
        for number in range(1, len(_DOWN) + 1):
            falling.append(self.get_submodule(f"conv{number}")(falling[-1]))
        rising = [falling.pop()]
        for number in range(1, len(_UP) + 1):
            rising.append(self.get_submodule(f"deconv{number}")(rising[-1], falling.pop()))
        return [*rising, doubled(rising[-1])]


def doubled(x: Tensor) -> Tensor:
    """Return features of twice the size, corners on corners."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
