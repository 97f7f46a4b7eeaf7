"""The whole network, and how its published checkpoint becomes one."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.damo.attributes import AttributeEncoder
from workers.models.damo.checkpoint import fill, read_weights, renamed
from workers.models.damo.generator import Generator, Told
from workers.models.damo.motion import DenseMotion
from workers.models.damo.spectral import SpectralConv


class DamoNetwork(nn.Module):
    """Fuses an identity into a target crop. `narrow` divides inner channels; the published network has 1."""

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        self.encoder = AttributeEncoder(narrow)
        self.generator = Generator(narrow)
        self.dense_motion_network = DenseMotion(narrow)

    def forward(self, target: Tensor, identity: Tensor, fused: Tensor, own: Tensor) -> Tensor:
        """Return the fused face (N, 3, 256, 256), RGB in -1..1.

        `target` is a crop (N, 3, 256, 256), RGB in -1..1; `identity` an embedding (N, 512) of length 1;
        `fused` and `own` are the jaw lines (N, 17, 2) that are wanted and that the target has, in -1..1.
        """
        return self.paint(target, self.generator.told(identity), fused, own)

    def paint(self, target: Tensor, told: Told, fused: Tensor, own: Tensor) -> Tensor:
        """Return what `forward` does, from what the generator is told of an identity: that is made once."""
        flow = self.dense_motion_network(target, fused, own).permute(0, 3, 1, 2)
        whole = functional.interpolate(flow, size=target.shape[2:], mode="bilinear", align_corners=False)
        # The flow's corners are at -1 and 1, and here they are not: as the weights were trained.
        bent = functional.grid_sample(target, whole.permute(0, 2, 3, 1), align_corners=False)
        return self.generator.paint(self.encoder(bent), told)


def load_damo(path: Path, kind: torch.dtype = torch.float32, narrow: int = 1) -> DamoNetwork:
    """Return the network with the weights of `pytorch_model.pt`, or of safetensors made of it, on the CPU.

    A pickle is read without running what may be in it. Spectral norms are folded: they never change again.

    Raises:
        WeightsRejected: it cannot be read so, or its names or shapes are not exactly the published ones.
    """
    with torch.device("meta"):  # nothing is allocated twice: the checkpoint's own tensors are taken
        network = DamoNetwork(narrow)
    inside = "" if path.suffix == ".safetensors" else "state_dict"
    fill(network, renamed(read_weights(path, inside)), f"{path.name} is not damo's network")
    network.to(kind)
    for part in network.modules():
        if isinstance(part, SpectralConv):
            part.fold()
    return network
