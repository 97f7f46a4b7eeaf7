"""The identity backbone: a residual network of 100 layers in ArcFace's "IR" form (Deng et al. 2019).

Its weights were trained with CurricularFace (Huang et al. 2020) on upright crops of 112 pixels.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.damo.checkpoint import fill, read_weights, renamed

SIDE_PX = 112
ID_SIZE = 512

#: Of each stage: channels in, out, and units; the first unit of a stage halves the size.
_STAGES = ((64, 64, 3), (64, 128, 13), (128, 256, 30), (256, 512, 3))
_HALVINGS = 2 ** len(_STAGES)


class Unit(nn.Module):
    """Two convolutions, normalised before and after, and a way around them."""

    def __init__(self, takes: int, gives: int, stride: int) -> None:
        super().__init__()
        # Where nothing but the size changes every other pixel is taken, and nothing has weights.
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if takes != gives:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(takes, gives, 1, stride, bias=False), nn.BatchNorm2d(gives)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(takes),
            nn.Conv2d(takes, gives, 3, padding=1, bias=False),
            nn.PReLU(gives),
            nn.Conv2d(gives, gives, 3, stride, 1, bias=False),
            nn.BatchNorm2d(gives),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, takes, H, W), return (N, gives, H / stride, W / stride)."""
        joined: Tensor = self.res_layer(x) + self.shortcut_layer(x)
        return joined


class Backbone(nn.Module):
    """Tells who a face is. `narrow` divides the inner channels; the published network has 1."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        first = _STAGES[0][0] // narrow
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.PReLU(first)
        )
        units = [
            Unit((takes if number == 0 else gives) // narrow, gives // narrow, 2 if number == 0 else 1)
            for takes, gives, count in _STAGES
            for number in range(count)
        ]
        self.body = nn.Sequential(*units)
        last = _STAGES[-1][1] // narrow
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(last),
            nn.Identity(),  # dropout, in training
            nn.Flatten(),
            nn.Linear(last * (SIDE_PX // _HALVINGS) ** 2, ID_SIZE),
            nn.BatchNorm1d(ID_SIZE, affine=False),
        )

    def forward(self, crop: Tensor) -> Tensor:
        """Take crops (N, 3, H, W), RGB in -1..1; return embeddings (N, 512) of length 1."""
        small = functional.interpolate(crop, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=True)
        found = self.output_layer(self.body(self.input_layer(small)))
        return functional.normalize(found)


def load_backbone(path: Path, narrow: int = 1) -> Backbone:
    """Return the backbone with the weights of `CurricularFace_Backbone.pth`.

    Names beside the network's are passed over, as its publisher does: training leaves some.

    Raises:
        WeightsRejected: it cannot be read safely, or lacks weights, or has others.
    """
    with torch.device("meta"):
        backbone = Backbone(narrow)
    what = f"{path.name} is not damo's identity backbone"
    fill(backbone, renamed(read_weights(path)), what, is_loose=True)
    return backbone
