"""A fusion network that looks at every pixel: for GPUs, where full resolution can be afforded.

Fully convolutional, 6 channels in, a bounded RGB residual and a blend weight out, confined to the mask. No
weights of it ship: training it takes a GPU, and untrained it gives back the plain composite.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from workers.models.encoder_decoder import EncoderDecoder
from workers.models.network import FusionNetwork, Window

#: Pixels from the centre of its field of view beyond which a network of depth 5 sees nothing: two 3 x 3
#: convolutions at each of 1, 2, 4, 8, 16 px going down, and at 8, 4, 2, 1 px coming up, make 92.
REACH_PX = 92
OVERLAP_PX = 128


@dataclass(frozen=True, slots=True)
class DenseConfig:
    """What a dense fusion network is made of. `depth` counts resolutions, each half of the one before."""

    width: int  # channels at full resolution
    depth: int = 5
    max_factor: int = 16  # channels stop doubling at width * max_factor
    residual_bound: float = 0.5  # half of the range takes the darkest skin to the lightest

    def widths(self) -> tuple[int, ...]:
        """Return the channels of each resolution, the full one's first."""
        return tuple(self.width * min(2**level, self.max_factor) for level in range(self.depth))


STANDARD = DenseConfig(width=64)  # 31.4 M parameters


class DenseFusionUNet(FusionNetwork):
    """Finds a residual and a blend weight for every pixel."""

    overlap_px = OVERLAP_PX
    field_channels = 4  # RGB residual, blend weight

    def __init__(self, config: DenseConfig = STANDARD) -> None:
        super().__init__()
        self.config = config
        self.core = EncoderDecoder(6, self.field_channels, config.widths(), num_climbs=config.depth - 1)

    def survey(self, x: Tensor, mask: Tensor, tile_px: int | None = None, at_least: int = 0) -> None:
        """Nothing: every pixel's surroundings are all that counts."""

    def field(self, survey: None, x: Tensor, mask: Tensor, where: Window, side_px: int) -> Tensor:  # noqa: ARG002
        """Return (N, 4, h, w): a residual in [-bound, bound] and a weight in [0, 1]; untrained, 0 and 1."""
        found = self.core(torch.cat((x[:, :3], mask * x[:, 3:]), 1) - 0.5)
        bound = self.config.residual_bound
        # 1 at 0, with a slope: the untrained network is the plain composite, and can learn to hold back.
        weight = (1.0 + found[:, 3:]).clamp(0.0, 1.0)
        return torch.cat((bound * torch.tanh(found[:, :3] / bound), weight), 1)

    def compose(self, x: Tensor, mask: Tensor, target: Tensor, field: Tensor) -> Tensor:
        """Lay the settled source over the target, as far as mask and blend weight let it."""
        fused = (x[:, 3:] + field[:, :3]).clamp(0.0, 1.0)
        share = mask * field[:, 3:]
        return share * fused + (1.0 - share) * target
