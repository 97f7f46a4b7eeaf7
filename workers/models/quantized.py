"""The fusion network's convolutions in 8 bits, run by onnxruntime: for CPUs, where they are the fastest way.

Weights are quantized per channel, activations per tensor, with ranges that were measured on drawn faces
(`python -m workers.training.quantize`). Colours are composed in float32 as ever.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from workers.errors import WeightsRejected
from workers.models.onnx_session import OnnxNetwork
from workers.models.unet import FusionUNet
from workers.models.weights import read_facts

SHIPPED = Path(__file__).parents[1] / "weights" / "fusion-lite-int8.onnx"


class QuantizedCore(nn.Module):
    """Takes the place of a network's `core`. On the CPU only; its weights are onnxruntime's, not torch's."""

    def __init__(self, session: OnnxNetwork) -> None:
        super().__init__()
        self._session = session

    def forward(self, x: Tensor) -> Tensor:
        """Return what the float core returns, nearly."""
        (name,) = self._session.inputs
        return torch.from_numpy(self._session.run({name: x.numpy()})[0])

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # it holds nothing that changes


def quantize_core(network: FusionUNet, path: Path | None = None) -> None:
    """Put the 8-bit convolutions in `path` (default: those that ship) in place of the network's own.

    Raises:
        WeightsRejected: they are missing, not the ones that shipped, or of other weights.
        PackageMissing: onnxruntime is not installed.
    """
    path = path or SHIPPED
    try:
        facts = json.loads(path.with_suffix(".json").read_bytes())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError) as error:
        raise WeightsRejected(f"{path.name}: {error}") from error
    if digest != facts.get("sha256"):
        raise WeightsRejected(f"{path.name}: sha256 is {digest}, not {facts.get('sha256')}")
    if path == SHIPPED and facts.get("of") != read_facts()["sha256"]:
        raise WeightsRejected(f"{path.name}: made of other weights: run python -m workers.training.quantize")
    network.core = QuantizedCore(OnnxNetwork(path))
