"""Convolutions whose weights were trained under spectral norm (Miyato et al. 2018), folded once at load.

The checkpoint holds the unscaled weight and two vectors; the weight that is used is the first over its
largest singular value, as those vectors estimate it. It does not change at inference, so it is computed once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Held(nn.Module):
    """The tensors of one convolution, by their published names."""

    def __init__(self, takes: int, gives: int, side: int, *, has_bias: bool) -> None:
        super().__init__()
        self.register_buffer("weight_bar", torch.zeros(gives, takes, side, side))
        self.register_buffer("weight_u", torch.zeros(gives))
        self.register_buffer("weight_v", torch.zeros(takes * side * side))
        if has_bias:
            self.register_buffer("bias", torch.zeros(gives))


class SpectralConv(nn.Module):
    """A convolution without padding of its own, scaled by its largest singular value."""

    def __init__(self, takes: int, gives: int, side: int, *, has_bias: bool = False) -> None:
        super().__init__()
        self.module = _Held(takes, gives, side, has_bias=has_bias)
        self._is_folded = False

    def fold(self) -> None:
        """Put the weight that is used in the place of the one that it is computed from, once."""
        if self._is_folded:
            return
        held = self.module
        bar = held.get_buffer("weight_bar")
        sigma = held.get_buffer("weight_u") @ (bar.flatten(1) @ held.get_buffer("weight_v"))
        held.register_buffer("weight_bar", bar / sigma)
        self._is_folded = True

    def forward(self, x: Tensor) -> Tensor:
        """Take (N, takes, H, W), padded as it must be; return (N, gives, ...)."""
        bias = dict(self.module.named_buffers()).get("bias")
        return functional.conv2d(x, self.module.get_buffer("weight_bar"), bias)
