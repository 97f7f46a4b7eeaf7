"""The whole network, and how its published checkpoint becomes one."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from workers.errors import WeightsRejected
from workers.models.damo.attributes import AttributeEncoder
from workers.models.damo.generator import Generator
from workers.models.damo.motion import DenseMotion
from workers.models.damo.spectral import SpectralConv

#: Written before every name by the program that saved it; the longer one first.
_PREFIXES = ("module.model.", "module.")


class DamoNetwork(nn.Module):
    """Fuses an identity into a target crop."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = AttributeEncoder()
        self.generator = Generator()
        self.dense_motion_network = DenseMotion()

    def forward(self, target: Tensor, identity: Tensor, fused: Tensor, own: Tensor) -> Tensor:
        """Return the fused face (N, 3, 256, 256), RGB in -1..1.

        `target` is a crop (N, 3, 256, 256), RGB in -1..1; `identity` an embedding (N, 512) of length 1;
        `fused` and `own` are the jaw lines (N, 17, 2) that are wanted and that the target has, in -1..1.
        """
        flow = self.dense_motion_network(target, fused, own).permute(0, 3, 1, 2)
        whole = functional.interpolate(flow, size=target.shape[2:], mode="bilinear", align_corners=False)
        # The flow's corners are at -1 and 1, and here they are not: as the weights were trained.
        bent = functional.grid_sample(target, whole.permute(0, 2, 3, 1), align_corners=False)
        painted: Tensor = self.generator(self.encoder(bent), identity)
        return painted


def load_damo(path: Path, kind: torch.dtype = torch.float32) -> DamoNetwork:
    """Return the network with the weights of `pytorch_model.pt`, or of safetensors made of it, on the CPU.

    A pickle is read without running what may be in it.

    Raises:
        WeightsRejected: it cannot be read so, or its names or shapes are not exactly the published ones.
    """
    with torch.device("meta"):  # nothing is allocated twice: the checkpoint's own tensors are taken
        network = DamoNetwork()
    try:
        state = renamed(_read(path))
        _check(network, state, path)
        network.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, OSError, KeyError, TypeError, pickle.UnpicklingError, ValueError) as error:
        raise WeightsRejected(f"{path.name}: {error}") from error
    network.to(kind).eval().requires_grad_(requires_grad=False)
    for part in network.modules():
        if isinstance(part, SpectralConv):
            part.fold()
    return network


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without the prefix that some programs write before every name."""
    for prefix in _PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            return {name.removeprefix(prefix): value for name, value in state.items()}
    return dict(state)


def _check(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Say in a line what is wrong with a checkpoint: torch would list a thousand names."""
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    faults = {
        "missing": [name for name in wanted if name not in state],
        "unknown": [name for name in state if name not in wanted],
        "of another shape": [name for name in state if name in wanted and state[name].shape != wanted[name]],
    }
    told = [f"{len(names)} {what} ({names[0]} ...)" for what, names in faults.items() if names]
    if told:
        raise WeightsRejected(f"{path.name} is not damo's network; weights: {', '.join(told)}")


def _read(path: Path) -> Mapping[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    body: Any = torch.load(path, map_location="cpu", weights_only=True)
    found: Mapping[str, Tensor] = body["state_dict"]
    return found
