"""What every fusion network is to those who run it: whole or in tiles, on any device, in any precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

SIZE_MULTIPLE_PX = 16  # crops are squares of a multiple of this

#: Takes x, mask and a tile's side, as `FusionNetwork.survey` does; returns what that returns.
Surveying: TypeAlias = Callable[[Tensor, Tensor, int | None], Any]


class Window(NamedTuple):
    """A part of a square picture: columns [x0, x1), rows [y0, y1)."""

    x0: int
    y0: int
    x1: int
    y1: int

    def of(self, picture: Tensor) -> Tensor:
        """Return this part of (N, C, S, S), as a view."""
        return picture[..., self.y0 : self.y1, self.x0 : self.x1]


class FusionNetwork(nn.Module):
    """Settles a placed source face into its target. Its device is that of its parameters.

    A pass has three steps, so that a picture can also be worked on in tiles: `survey` looks at all of it,
    `field` says for one window what to do there, `compose` does it, pixel by pixel.

    In eval mode on a CPU, `forward` takes every crop through alone, because there a convolution's last
    bits depend on how many crops are beside it, and a chunk's border must not show.
    """

    core: nn.Module  # an `EncoderDecoder`, or what stands in for it
    overlap_px: int  # that two tiles share so that no seam shows; 0 where a field needs no neighbours
    field_channels: int

    def survey(self, x: Tensor, mask: Tensor, tile_px: int | None = None, at_least: int = 0) -> Any:
        """Return what `field` must know of the whole picture; with `tile_px`, in little memory.

        Convolutions see `at_least` so many crops, blank ones beside where fewer are given.
        """
        raise NotImplementedError

    def field(self, survey: Any, x: Tensor, mask: Tensor, where: Window, side_px: int) -> Tensor:
        """Return (N, field_channels, h, w) for the parts of `x` and `mask` that lie at `where`."""
        raise NotImplementedError

    def compose(self, x: Tensor, mask: Tensor, target: Tensor, field: Tensor) -> Tensor:
        """Return the fused pixels, (N, 3, h, w) in [0, 1], of any part: no pixel looks at another."""
        raise NotImplementedError

    def fuse(self, x: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        """Return the fused crops, all of them in one pass, untiled."""
        side_px = x.shape[-1]
        whole = Window(0, 0, side_px, side_px)
        return self.compose(x, mask, target, self.field(self.survey(x, mask), x, mask, whole, side_px))

    def forward(self, x: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        """Return the fused crops, (N, 3, S, S) in [0, 1]; S is a multiple of SIZE_MULTIPLE_PX.

        Args:
            x: (N, 6, S, S) RGB in [0, 1]: `blur_inner(target, mask)`, then the placed source.
            mask: (N, 1, S, S) in [0, 1]. Where it is 0 the result is `target`, bit for bit.
            target: (N, 3, S, S) RGB in [0, 1], sharp. It never enters the network.
        """
        if self.training or x.device.type != "cpu":
            return self.fuse(x, mask, target)
        alone = zip(x.chunk(len(x)), mask.chunk(len(x)), target.chunk(len(x)), strict=True)
        return torch.cat([self.fuse(*crop) for crop in alone])
