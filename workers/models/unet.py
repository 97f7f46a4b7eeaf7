"""The fusion network: a UNet that finds the colour transforms which settle a placed face into a picture.

It looks at a thumbnail, puts out a coarse grid of colour transforms, and these are applied to the placed
source at full resolution as a bounded residual inside the mask. So it costs little at any output size,
keeps the identity's fine detail, and leaves every pixel outside the mask as it was.
Affine grids of colour transforms: Gharbi et al., "Deep Bilateral Learning", SIGGRAPH 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models import cells
from workers.models.encoder_decoder import EncoderDecoder
from workers.models.gap import Gap, colour_gap
from workers.models.network import SIZE_MULTIPLE_PX, FusionNetwork, Window

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


@dataclass(frozen=True, slots=True)
class Survey:
    """What the network has found in the whole picture."""

    gap: Gap
    grid: Tensor  # (N, 3 NUM_TERMS, grid_px, grid_px): the transforms

    def of(self, index: int) -> Survey:
        """Return one crop's, N = 1."""
        return Survey(self.gap.of(index), self.grid[index : index + 1])


class FusionUNet(FusionNetwork):
    """Finds a grid of colour transforms in a thumbnail, which hold for the picture at any size."""

    overlap_px = 0  # a transform looks at its own pixel only
    field_channels = 3

    def __init__(self, config: FusionConfig = LITE) -> None:
        super().__init__()
        self.config = config
        self.core: nn.Module = EncoderDecoder(NUM_INPUTS, 3 * NUM_TERMS, config.widths(), config.num_climbs())

    def survey(self, x: Tensor, mask: Tensor, tile_px: int | None = None, at_least: int = 0) -> Survey:
        """Find the transforms. Also the one colour correction that all tiles of a picture share."""
        return self.survey_of(self.thumbnail(x, mask, tile_px), at_least)

    def survey_of(self, seen: Tensor, at_least: int = 0) -> Survey:
        """Find the transforms in thumbnails: all that a survey rests on."""
        gap = colour_gap(seen)
        blank = max(0, at_least - len(seen))
        shown = functional.pad(_inputs(seen, gap), (0, 0, 0, 0, 0, 0, 0, blank))
        return Survey(gap, self.core(shown)[: len(seen)])

    def field(self, survey: Survey, x: Tensor, mask: Tensor, where: Window, side_px: int) -> Tensor:  # noqa: ARG002
        """Return what is added to the source, (N, 3, h, w); no value exceeds the config's bound."""
        residual = torch.zeros_like(x[:, 3:])
        terms = _terms(x[:, 3:], survey.gap, where, side_px)
        # Term by term: all of them at full resolution would need ten times the memory.
        for weights, term in zip(survey.grid.chunk(NUM_TERMS, dim=1), terms, strict=True):
            residual = torch.addcmul(residual, _enlarged(weights, where, side_px), term)
        bound = self.config.residual_bound
        return bound * torch.tanh(residual / bound)

    def compose(self, x: Tensor, mask: Tensor, target: Tensor, field: Tensor) -> Tensor:
        """Add the residual to the source, and lay that over the target as far as the mask lets it."""
        fused = (x[:, 3:] + field).clamp(0.0, 1.0)
        return mask * fused + (1.0 - mask) * target

    def thumbnail(self, x: Tensor, mask: Tensor, tile_px: int | None = None) -> Tensor:
        """Return what a survey looks at, (N, 7, T, T) in [0, 1]: in strips where a picture exceeds a tile."""
        small_px, side_px = self.config.thumbnail_px, x.shape[-1]
        if tile_px is None or side_px <= tile_px or side_px % small_px:
            return _shrunk(x, mask, side_px / small_px)
        factor = side_px // small_px
        height_px = factor * max(1, tile_px * tile_px // (side_px * factor))
        strips = [
            _shrunk(x[:, :, y : y + height_px], mask[:, :, y : y + height_px], factor)
            for y in range(0, side_px, height_px)
        ]
        return torch.cat(strips, 2)


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


def _shrunk(x: Tensor, mask: Tensor, factor: float) -> Tensor:
    # The source counts only under its mask: beyond it may be anything, another background or none.
    whole = torch.cat((x[:, :3], mask * x[:, 3:], mask), 1)
    size = (round(x.shape[-2] / factor), round(x.shape[-1] / factor))
    return functional.interpolate(whole, size=size, mode="area")


def _enlarged(grid: Tensor, where: Window, side_px: int) -> Tensor:
    if where == (0, 0, side_px, side_px):
        return cells.enlarge(grid, side_px)
    return cells.enlarge_part(grid, side_px, where)


def _terms(source: Tensor, gap: Gap, where: Window, side_px: int) -> tuple[Tensor, ...]:
    """Return NUM_TERMS factors for a transform, (N, 3 or 1, h or 1, w or 1); the last is 1."""
    centred = source - gap.mean
    local = _enlarged(gap.local, where, side_px)
    stretched = centred * (torch.exp(gap.stretch) - 1.0)
    squares = (centred * centred).chunk(3, dim=1)
    return (gap.overall, local, stretched, *centred.chunk(3, dim=1), *squares, torch.ones_like(gap.overall))
