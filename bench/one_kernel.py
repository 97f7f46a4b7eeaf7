"""Convolution, batch norm and SiLU as one kernel of oneDNN: measured, not used, because it is no faster."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.models.blocks import ConvNormAct


class OneKernel(nn.Module):
    """A folded `ConvNormAct` whose activation is done while its convolution's outputs are at hand.

    The operation is torch's own, the one that Inductor puts in the place of the two on a CPU. It lays the
    weights out anew for every call.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self._conv = conv

    def forward(self, x: Tensor) -> Tensor:
        conv = self._conv
        shape = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001
            x, conv.weight, conv.bias, *shape, "swish", [], ""
        )
        return found


def in_one_kernel(folded: nn.Module) -> None:
    """Put a `OneKernel` in the place of every `ConvNormAct` below `folded`."""
    for name, child in folded.named_children():
        if isinstance(child, ConvNormAct):
            setattr(folded, name, OneKernel(child.conv))
        else:
            in_one_kernel(child)
