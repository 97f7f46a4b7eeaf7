"""Dense motion: how the target bends so that its jaw line becomes the fused one (Siarohin et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

KEYPOINTS = 17  # of the jaw line
_VARIANCE = 0.01  # of a keypoint's spot, in the units of -1..1
_SHRINK = 4  # the flow is found at a quarter of the crop's size
_BLUR_SIDE = 13  # taps of the filter before shrinking: 2 round(4 sigma) + 1, sigma = (4 - 1) / 2
_WIDTHS = (64, 128, 256, 512, 1024, 1024)  # the hourglass's channels, each level half the size
_SEEN = (KEYPOINTS + 1) * 4  # a spot's change and three colours, for the background and each keypoint


class HourglassDown(nn.Module):
    """Convolution, then half the size by averages."""

    def __init__(self, takes: int, gives: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(takes, gives, 3, padding=1)
        self.norm = nn.BatchNorm2d(gives)

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, takes, H, W), return (N, gives, H / 2, W / 2)."""
        return functional.avg_pool2d(functional.relu(self.norm(self.conv(x))), 2)


class HourglassUp(nn.Module):
    """Twice the size by repetition, then convolution."""

    def __init__(self, takes: int, gives: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(takes, gives, 3, padding=1)
        self.norm = nn.BatchNorm2d(gives)

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, takes, H, W), return (N, gives, 2 H, 2 W)."""
        return functional.relu(self.norm(self.conv(functional.interpolate(x, scale_factor=2))))


class Levels(nn.Module):
    """One side of the hourglass: a list of levels, under the name that the checkpoint has."""

    def __init__(self, name: str, levels: list[nn.Module]) -> None:
        super().__init__()
        self.add_module(name, nn.ModuleList(levels))


class Hourglass(nn.Module):
    """Five levels down and up, the features of the way down beside those of the way up."""

    def __init__(self, widths: Sequence[int] = _WIDTHS) -> None:
        super().__init__()
        down = [(_SEEN, widths[1]), *pairwise(widths[1:])]
        up = [
            (width * (1 if level == 0 else 2), widths[-2 - level])
            for level, width in enumerate(reversed(widths[1:]))
        ]
        self.encoder = Levels("down_blocks", [HourglassDown(*sizes) for sizes in down])
        self.decoder = Levels("up_blocks", [HourglassUp(*sizes) for sizes in up])

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, 72, H, W), return (N, 64 + 72, H, W)."""
        falling = [x]
        for level in self.encoder.get_submodule("down_blocks").children():
            falling.append(level(falling[-1]))
        x = falling.pop()
        for level in self.decoder.get_submodule("up_blocks").children():
            x = torch.cat((level(x), falling.pop()), dim=1)
        return x


class DenseMotion(nn.Module):
    """Finds for every place of the fused face where it lies in the target. `narrow` divides the channels."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        widths = [width // narrow for width in _WIDTHS]
        self.hourglass = Hourglass(widths)
        self.mask = nn.Conv2d(widths[0] + _SEEN, KEYPOINTS + 1, 7, padding=3)
        self.down = nn.Module()
        self.down.register_buffer("weight", torch.zeros(3, 1, _BLUR_SIDE, _BLUR_SIDE))

    def forward(self, target: Tensor, fused: Tensor, own: Tensor) -> Tensor:
        """Return the flow (N, 64, 64, 2): x and y in -1..1.

        `target` is (N, 3, 256, 256) in -1..1; `fused` and `own` are jaw lines (N, 17, 2), x and y in -1..1.
        """
        blur = self.down.get_buffer("weight")
        small = functional.conv2d(target, blur, padding=_BLUR_SIDE // 2, groups=3)[..., ::_SHRINK, ::_SHRINK]
        count, _, height, width = small.shape
        grid = places(height, width, small)
        moves = self._moves(grid, fused, own)  # (N, 18, H, W, 2)
        many = small.repeat_interleave(KEYPOINTS + 1, dim=0)
        shown = functional.grid_sample(many, moves.flatten(0, 1), align_corners=False)
        shown = shown.view(count, KEYPOINTS + 1, 3, height, width)
        change = spots(grid, fused) - spots(grid, own)
        change = torch.cat((torch.zeros_like(change[:, :1]), change), dim=1)[:, :, None]
        seen = torch.cat((change, shown), dim=2).flatten(1, 2)
        share = torch.softmax(self.mask(self.hourglass(seen)), dim=1)
        return (moves * share[..., None]).sum(dim=1)

    def _moves(self, grid: Tensor, fused: Tensor, own: Tensor) -> Tensor:
        """Return the candidates: no move, and for each keypoint the move that brings it home."""
        shifted = grid + (own - fused)[:, :, None, None]
        return torch.cat((grid.expand(len(own), 1, *grid.shape), shifted), dim=1)


def places(height: int, width: int, like: Tensor) -> Tensor:
    """Return every pixel's x and y (H, W, 2), corners at -1 and 1, where `like` is and of its type."""
    y, x = (torch.linspace(-1, 1, side, device=like.device, dtype=like.dtype) for side in (height, width))
    y, x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack((x, y), dim=-1)


def spots(grid: Tensor, points: Tensor) -> Tensor:
    """Return a soft spot (N, K, H, W) around each of the points (N, K, 2)."""
    apart = grid - points[:, :, None, None]
    return torch.exp(-0.5 / _VARIANCE * (apart * apart).sum(-1))
