"""A picture larger than a tile, worked on tile by tile: memory is the tile's, beside the picture's pixels.

Neighbouring tiles share a network's overlap, where one gives way to the other. What must be the same all
over the picture (a network's transforms of colour) comes from one survey of the whole of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from workers.models.network import FusionNetwork, Surveying, Window

# Takes the survey, then parts of x and mask, their window, the whole picture's side; returns a field.
FieldOf = Callable[..., Tensor]


def fuse_in_tiles(
    network: FusionNetwork,
    x: Tensor,
    mask: Tensor,
    target: Tensor,
    *,
    tile_px: int,
    field: FieldOf | None = None,
    surveying: Surveying | None = None,
) -> Tensor:
    """Return what `network.fuse` returns for crops of side S > tile_px, (N, 3, S, S).

    `field` takes the place of the network's own, as a captured graph of it may; so does `surveying`.
    """
    field, side_px = field or network.field, x.shape[-1]
    survey = (surveying or network.survey)(x, mask, tile_px)
    fused = torch.empty_like(target)
    if network.overlap_px == 0:
        for where in windows(side_px, tile_px, 0):
            part = field(survey, where.of(x), where.of(mask), where, side_px)
            where.of(fused).copy_(network.compose(where.of(x), where.of(mask), where.of(target), part))
        return fused
    joined = _joined(network, survey, x, mask, tile_px=tile_px, field=field)
    for where in windows(side_px, tile_px, 0):
        part = where.of(joined)
        where.of(fused).copy_(network.compose(where.of(x), where.of(mask), where.of(target), part))
    return fused


def windows(side_px: int, tile_px: int, overlap_px: int) -> Iterator[Window]:
    """Yield tiles that cover a square picture, row by row.

    With an overlap all are of the same size; without one, the last of a row or column may be smaller.
    """
    starts = _starts(side_px, tile_px, overlap_px)
    for y0 in starts:
        for x0 in starts:
            yield Window(x0, y0, min(x0 + tile_px, side_px), min(y0 + tile_px, side_px))


def shares(side_px: int, tile_px: int, overlap_px: int) -> dict[int, Tensor]:
    """Return, by a tile's start, its share of its pixels along one axis; at every pixel they sum to 1.

    A share rises as a raised cosine over the overlap: neither its value nor its slope jumps, so no edge of a
    tile can be seen. The last tile ends with the picture, and overlaps more.
    """
    ramp = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(overlap_px) + 0.5) / overlap_px)
    starts, found = _starts(side_px, tile_px, overlap_px), {}
    for start in starts:
        share = torch.ones(tile_px)
        if start > 0:
            share[:overlap_px] *= ramp
        if start + tile_px < side_px:
            share[-overlap_px:] *= ramp.flip(0)
        found[start] = share
    total = torch.zeros(side_px)
    for start in starts:
        total[start : start + tile_px] += found[start]
    return {start: found[start] / total[start : start + tile_px] for start in starts}


def _joined(
    network: FusionNetwork, survey: object, x: Tensor, mask: Tensor, *, tile_px: int, field: FieldOf
) -> Tensor:
    side_px = x.shape[-1]
    joined = x.new_zeros(x.shape[0], network.field_channels, side_px, side_px)
    along = {s: share.to(x.device) for s, share in shares(side_px, tile_px, network.overlap_px).items()}
    for where in windows(side_px, tile_px, network.overlap_px):
        part = field(survey, where.of(x), where.of(mask), where, side_px)
        where.of(joined).addcmul_(part, along[where.y0][:, None] * along[where.x0])
    return joined


def _starts(side_px: int, tile_px: int, overlap_px: int) -> list[int]:
    if overlap_px == 0:
        return list(range(0, side_px, tile_px))
    last = max(0, side_px - tile_px)
    return [*range(0, last, tile_px - overlap_px), last]
