"""The three networks of MTCNN: PNet proposes boxes, RNet refuses most, ONet places five landmarks.

After Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks".

All take RGB as (value - 127.5) / 128, channels first. Pooling pads at the end only, with -inf, as Keras's
"same" does.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from workers.models.mtcnn_weights import load_weights
from workers.models.pooling import MaxPool

PNET_STRIDE_PX = 2  # one output cell of PNet every so many input pixels
PNET_CELL_PX = 12  # what one output cell of PNet sees
RNET_INPUT_PX = 24
ONET_INPUT_PX = 48


class PNet(nn.Module):
    """Proposes boxes: slides over a whole picture, so it takes any size from `PNET_CELL_PX` up."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            *_conv(3, 10, 3), MaxPool(2, is_whole=True), *_conv(10, 16, 3), *_conv(16, 32, 3)
        )
        self.box = nn.Conv2d(32, 4, 1)
        self.face = nn.Conv2d(32, 2, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Turn (N, 3, H, W) into scores (N, h, w) in 0..1 and box offsets (N, 4, h, w) in cells."""
        features = self.trunk(x)
        return _face_score(self.face(features)), self.box(features)


class RNet(nn.Module):
    """Refuses proposals and corrects the others."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            *_conv(3, 28, 3), MaxPool(3, is_whole=True), *_conv(28, 48, 3), MaxPool(3, is_whole=False),
            *_conv(48, 64, 2), _FlattenAsKeras(), nn.Linear(576, 128), nn.PReLU(128),
        )  # fmt: skip
        self.box = nn.Linear(128, 4)
        self.face = nn.Linear(128, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Turn (N, 3, 24, 24) into scores (N,) in 0..1 and box offsets (N, 4) in box sides."""
        features = self.trunk(x)
        return _face_score(self.face(features)), self.box(features)


class ONet(nn.Module):
    """Judges what is left and places the landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            *_conv(3, 32, 3), MaxPool(3, is_whole=True), *_conv(32, 64, 3), MaxPool(3, is_whole=False),
            *_conv(64, 64, 3), MaxPool(2, is_whole=True), *_conv(64, 128, 2),
            _FlattenAsKeras(), nn.Linear(1152, 256), nn.PReLU(256),
        )  # fmt: skip
        self.box = nn.Linear(256, 4)
        self.marks = nn.Linear(256, 10)
        self.face = nn.Linear(256, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn (N, 3, 48, 48) into scores (N,), box offsets (N, 4) and landmarks (N, 5, 2), in box sides."""
        features = self.trunk(x)
        marks = self.marks(features).reshape(-1, 2, 5).transpose(1, 2)
        return _face_score(self.face(features)), self.box(features), marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Mtcnn:
    """The three networks, with their weights."""

    pnet: PNet
    rnet: RNet
    onet: ONet

    @classmethod
    def load(cls, device: torch.device) -> Self:
        """Return the networks on `device`, ready to infer.

        Raises:
            WeightsRejected: the weights are missing or not the known ones.
        """
        pnet, rnet, onet = PNet(), RNet(), ONet()
        networks: tuple[tuple[str, nn.Module], ...] = (("pnet", pnet), ("rnet", rnet), ("onet", onet))
        for name, network in networks:
            _fill(network, load_weights(name))
            network.eval().requires_grad_(requires_grad=False).to(device)
        return cls(pnet=pnet, rnet=rnet, onet=onet)


class _FlattenAsKeras(nn.Module):
    """Flattens (N, C, H, W) as the weights expect it: column by column, channels innermost."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 2, 1).flatten(1)


def _conv(fan_in: int, fan_out: int, side_px: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(fan_in, fan_out, side_px), nn.PReLU(fan_out)


def _face_score(logits: Tensor) -> Tensor:
    """Return the second class's probability; classes lie along dimension 1."""
    return logits.softmax(dim=1)[:, 1]


def _fill(network: nn.Module, weights: list[Tensor]) -> None:
    """Put `weights` into the parameters, which were declared in the file's order: trunk, box, marks, face."""
    state = OrderedDict(zip(network.state_dict(), weights, strict=True))
    network.load_state_dict(state)
