"""A face in numbers: what Deep3DFaceRecon (Deng et al. 2019) reads of shape, expression, light and pose.

A residual network of 50 layers, version 1.5 (He et al. 2016; the stride lies in the second convolution), with
a head for each group of coefficients.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.damo.checkpoint import fill, read_weights, renamed

SIDE_PX = 224

#: The groups, in their order: identity, expression, texture, angles, light, shift across and down, depth.
GROUPS = (80, 64, 80, 3, 27, 2, 1)

#: Of each stage: channels inside a unit, units, and the first one's stride.
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
_WIDER = 4  # a unit gives so many times what it has inside


class Unit(nn.Module):
    """One pixel, nine, and one again, with a way around them."""

    def __init__(self, takes: int, inside: int, stride: int) -> None:
        super().__init__()
        gives = inside * _WIDER
        self.conv1, self.bn1 = nn.Conv2d(takes, inside, 1, bias=False), nn.BatchNorm2d(inside)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inside)
        self.conv3, self.bn3 = nn.Conv2d(inside, gives, 1, bias=False), nn.BatchNorm2d(gives)
        self.downsample: nn.Module | None = None
        if stride != 1 or takes != gives:
            self.downsample = nn.Sequential(
                nn.Conv2d(takes, gives, 1, stride, bias=False), nn.BatchNorm2d(gives)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, takes, H, W), return (N, 4 inside, H / stride, W / stride)."""
        inner = functional.relu(self.bn1(self.conv1(x)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        around = x if self.downsample is None else self.downsample(x)
        return functional.relu(self.bn3(self.conv3(inner)) + around)


class Trunk(nn.Module):
    """The network without its heads."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        takes = _STAGES[0][0] // narrow
        self.conv1, self.bn1 = nn.Conv2d(3, takes, 7, 2, 3, bias=False), nn.BatchNorm2d(takes)
        for number, (inside, count, stride) in enumerate(_STAGES, start=1):
            units = []
            for place in range(count):
                units.append(Unit(takes, inside // narrow, stride if place == 0 else 1))
                takes = inside // narrow * _WIDER
            self.add_module(f"layer{number}", nn.Sequential(*units))

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, 3, 224, 224), return (N, 2048, 1, 1)."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return functional.adaptive_avg_pool2d(x, 1)


class Reconstruction(nn.Module):
    """Reads a face's coefficients. `narrow` divides the inner channels; the published network has 1."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        self.backbone = Trunk(narrow)
        last = _STAGES[-1][0] // narrow * _WIDER
        self.final_layers = nn.ModuleList(nn.Conv2d(last, size, 1) for size in GROUPS)

    def forward(self, crop: Tensor) -> Tensor:
        """Take crops (N, 3, H, W), RGB in -1..1; return coefficients (N, 257), in the order of `GROUPS`."""
        small = functional.interpolate(
            crop * 0.5 + 0.5, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False
        )
        seen = self.backbone(small)
        return torch.cat([head(seen) for head in self.final_layers], dim=1).flatten(1)


def load_reconstruction(path: Path, narrow: int = 1) -> Reconstruction:
    """Return the network with the weights of `face_3d.pth`, which lie under `net_recon`.

    Raises:
        WeightsRejected: it cannot be read safely, or its names or shapes are not exactly the published ones.
    """
    with torch.device("meta"):
        network = Reconstruction(narrow)
    inside = "" if path.suffix == ".safetensors" else "net_recon"
    what = f"{path.name} is not damo's reconstruction of faces"
    fill(network, renamed(read_weights(path, inside)), what)
    return network
