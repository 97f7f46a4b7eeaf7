"""The convolutions that every fusion network has in common: an encoder, a decoder, skips between them.

This part alone is folded, cast, quantized and exported: a tensor in, a tensor out, the same at any size.
Ronneberger et al., "U-Net", MICCAI 2015.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workers.models.blocks import ConvBlock, DownBlock, UpBlock


class EncoderDecoder(nn.Module):
    """(N, num_in, H, W) to (N, num_out, H', W'); H and W are multiples of 2^(len(widths) - 1).

    Each resolution is half of the one before. The decoder climbs `num_climbs` of them back, so that
    H' = H / 2^(len(widths) - 1 - num_climbs). Untrained, it puts out zeros.
    """

    def __init__(self, num_in: int, num_out: int, widths: Sequence[int], num_climbs: int) -> None:
        super().__init__()
        self.stem = ConvBlock(num_in, widths[0])
        self.encoder = nn.ModuleList(DownBlock(a, b) for a, b in itertools.pairwise(widths))
        climbed = widths[::-1][: num_climbs + 1]
        self.decoder = nn.ModuleList(UpBlock(a, b) for a, b in itertools.pairwise(climbed))
        self.head = nn.Conv2d(climbed[-1], num_out, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Compute in the weights' own precision; put out float32."""
        features = [self.stem(x.to(self.head.weight.dtype))]
        for down in self.encoder:
            features.append(down(features[-1]))
        climbing = features.pop()
        for up in self.decoder:
            # Its own resolution's skip: the decoder need not climb as far as the encoder came.
            climbing = up(climbing, features.pop())
        found: Tensor = self.head(climbing)
        return found.to(torch.float32)
