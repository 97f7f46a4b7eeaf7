"""The fusion network: a UNet that finds the colour transforms which settle a placed face into a picture.

It looks at a thumbnail, puts out a coarse grid of colour transforms, and these are applied to the placed
source at full resolution as a bounded residual inside the mask. So it costs little at any output size,
keeps the identity's fine detail, and leaves every pixel outside the mask as it was.
Affine grids of colour transforms: Gharbi et al., "Deep Bilateral Learning", SIGGRAPH 2017. The encoder
and decoder: Ronneberger et al., "U-Net", MICCAI 2015.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models import cells
from workers.models.blocks import ConvBlock, DownBlock, UpBlock
from workers.models.gap import Gap, colour_gap

SIZE_MULTIPLE_PX = cells.GRID  # crops are squares of a multiple of this
BLUR_SIGMA = cells.SIGMA  # of the side: wide enough to hide features, narrow enough to show the light
# Terms of a transform: the gap overall, the local gap, the stretch; then the source about its mean (three
# channels), its squares (which bend a curve, as gamma and contrast do) and the constant 1.
NUM_TERMS = 10
NUM_INPUTS = 16  # low-passed target, plain composite, mask; local gap; overall gap, stretch


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """What a fusion network is made of.

    `depth` counts resolutions from the thumbnail down, each half of the one before; the decoder climbs
    back to `grid_px`. `residual_bound` is the most that any channel of any pixel may change, in [0, 1].
    """

    width: int  # channels at the thumbnail's resolution
    depth: int
    thumbnail_px: int = 64
    grid_px: int = 16
    max_factor: int = 8  # channels stop doubling at width * max_factor
    residual_bound: float = 0.5  # half of the range takes the darkest skin to the lightest

    def widths(self) -> tuple[int, ...]:
        """Return the channels of each resolution, the thumbnail's first."""
        return tuple(self.width * min(2**level, self.max_factor) for level in range(self.depth))

    def num_climbs(self) -> int:
        """Return how many resolutions the decoder climbs."""
        return (self.grid_px // (self.thumbnail_px >> (self.depth - 1))).bit_length() - 1


LITE = FusionConfig(width=16, depth=5)  # 1.2 M parameters: milliseconds on one CPU core
STANDARD = FusionConfig(width=84, depth=5)  # 32 M parameters: for a GPU


class FusionUNet(nn.Module):
    """Settles a placed source face into its target. Its device is that of its parameters.

    In eval mode on a CPU every crop goes through alone, because there a convolution's last bits depend on
    how many crops are beside it, and a chunk's border must not show.
    """

    def __init__(self, config: FusionConfig = LITE) -> None:
        super().__init__()
        self.config = config
        widths = config.widths()
        self.stem = ConvBlock(NUM_INPUTS, widths[0])
        self.encoder = nn.ModuleList(DownBlock(a, b) for a, b in itertools.pairwise(widths))
        climbed = widths[::-1][: config.num_climbs() + 1]
        self.decoder = nn.ModuleList(UpBlock(a, b) for a, b in itertools.pairwise(climbed))
        self.head = nn.Conv2d(climbed[-1], 3 * NUM_TERMS, 1)
        nn.init.zeros_(self.head.weight)  # an untrained network changes nothing
        nn.init.zeros_(_bias(self.head))

    def forward(self, x: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        """Return the fused crops, (N, 3, S, S) in [0, 1]; S is a multiple of SIZE_MULTIPLE_PX.

        Args:
            x: (N, 6, S, S) RGB in [0, 1]: `blur_inner(target, mask)`, then the placed source.
            mask: (N, 1, S, S) in [0, 1]. Where it is 0 the result is `target`, bit for bit.
            target: (N, 3, S, S) RGB in [0, 1], sharp. It never enters the network.
        """
        fused = (x[:, 3:] + self.residual(x, mask)).clamp(0.0, 1.0)
        return mask * fused + (1.0 - mask) * target

    def residual(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return what is added to the source, (N, 3, S, S); no value exceeds the config's bound."""
        if self.training or x.device.type != "cpu":
            return self._residual(x, mask)
        alone = zip(x.split_with_sizes([1] * len(x)), mask.split_with_sizes([1] * len(x)), strict=True)
        return torch.cat([self._residual(crop, its_mask) for crop, its_mask in alone])

    def _residual(self, x: Tensor, mask: Tensor) -> Tensor:
        thumbnail_px, size_px = self.config.thumbnail_px, x.shape[-1]
        # The source counts only under its mask: beyond it may be anything, another background or none.
        whole = torch.cat((x[:, :3], mask * x[:, 3:], mask), 1)
        seen = functional.interpolate(whole, size=(thumbnail_px, thumbnail_px), mode="area")
        gap = colour_gap(seen)
        grid = self._look(_inputs(seen, gap))
        residual = torch.zeros_like(x[:, 3:])
        # Term by term: all of them at full resolution would need ten times the memory.
        for weights, term in zip(grid.chunk(NUM_TERMS, dim=1), _terms(x[:, 3:], gap), strict=True):
            residual = torch.addcmul(residual, cells.enlarge(weights, size_px), term)
        bound = self.config.residual_bound
        return bound * torch.tanh(residual / bound)

    def _look(self, thumbnail: Tensor) -> Tensor:
        features = [self.stem(thumbnail)]
        for down in self.encoder:
            features.append(down(features[-1]))
        climbing = features.pop()
        for up in self.decoder:
            # Its own resolution's skip: the decoder need not climb as far as the encoder came.
            climbing = up(climbing, features.pop())
        found: Tensor = self.head(climbing)
        return found


def blur_inner(target: Tensor, mask: Tensor) -> Tensor:
    """Return `target`, (N, 3, S, S), low-passed wherever `mask`, (N, 1, S, S), is above 0.

    That is all a network may see of the face that it replaces: shown the sharp one, it learns to bring it
    back. The Gaussian's standard deviation is S / 10 (`BLUR_SIGMA`). Deterministic, and each crop's result
    is independent of the others in its batch.

    Raises:
        ValueError: the crops are not squares of a multiple of SIZE_MULTIPLE_PX.
    """
    height, width = target.shape[-2:]
    if width % SIZE_MULTIPLE_PX or height != width:
        raise ValueError(f"crops are squares of a multiple of {SIZE_MULTIPLE_PX} px, not {width} x {height}")
    low = cells.enlarge(cells.smooth(cells.to_cells(target)), width)
    return torch.where(mask > 0.0, low, target)


def _inputs(seen: Tensor, gap: Gap) -> Tensor:
    size_px, shown, mask = seen.shape[-1], seen[:, :3], seen[:, 6:]
    plain = seen[:, 3:6] + (1.0 - mask) * shown
    even = torch.cat((gap.overall, gap.stretch), 1).expand(-1, -1, size_px, size_px)
    return torch.cat((shown - 0.5, plain - 0.5, mask - 0.5, cells.enlarge(gap.local, size_px), even), 1)


def _terms(source: Tensor, gap: Gap) -> tuple[Tensor, ...]:
    """Return NUM_TERMS factors for a transform, (N, 3 or 1, S or 1, S or 1); the last is 1."""
    centred = source - gap.mean
    local = cells.enlarge(gap.local, source.shape[-1])
    stretched = centred * (torch.exp(gap.stretch) - 1.0)
    squares = (centred * centred).chunk(3, dim=1)
    return (gap.overall, local, stretched, *centred.chunk(3, dim=1), *squares, torch.ones_like(gap.overall))


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
