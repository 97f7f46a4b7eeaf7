"""Tiles leave no seam, and their memory does not grow with the picture."""

import pytest
import torch

from tests.workers.engine.crops import DENSE, TINY, crops, network, smooth_crops
from workers.engine.cpu_memory import CpuMeter
from workers.engine.tiles import fuse_in_tiles, shares, windows
from workers.models.blocks import fold_batch_norms


@pytest.mark.parametrize(
    ("side_px", "tile_px", "overlap_px"), [(1024, 256, 128), (1000, 256, 128), (592, 512, 128)]
)
def test_shares_sum_to_one_and_rise_without_a_jump(side_px, tile_px, overlap_px):
    total = torch.zeros(side_px)
    for start, share in shares(side_px, tile_px, overlap_px).items():
        total[start : start + tile_px] += share
        assert share.min() >= 0
        assert share.diff().abs().max() < 0.05
    torch.testing.assert_close(total, torch.ones(side_px))


@pytest.mark.parametrize(
    ("side_px", "tile_px", "overlap_px"), [(1024, 256, 128), (528, 512, 0), (272, 256, 128)]
)
def test_windows_cover_every_pixel(side_px, tile_px, overlap_px):
    seen = torch.zeros(side_px, side_px)
    for where in windows(side_px, tile_px, overlap_px):
        where.of(seen).add_(1)
    assert seen.min() == 1
    assert overlap_px or seen.max() == 1


@pytest.mark.parametrize("side_px", [512, 528])
def test_tiles_of_the_shipped_kind_are_the_whole_picture(side_px):
    """To float32's last bits: the colour transforms come from one survey of all of it."""
    net, picture = network(TINY), crops(2, side_px)
    with torch.inference_mode():
        whole, tiled = net.fuse(*picture), fuse_in_tiles(net, *picture, tile_px=256)
    torch.testing.assert_close(tiled, whole, atol=2e-6, rtol=0)
    assert not torch.equal(whole, picture[2])


def test_dense_tiles_show_no_seam():
    """Less than half a level of 8 bits anywhere, where a join without overlap is off by several."""
    net, picture = network(DENSE), smooth_crops(1, 768)
    with torch.inference_mode():
        whole, tiled = net.fuse(*picture), fuse_in_tiles(net, *picture, tile_px=384)
        net.overlap_px = 0
        hard = fuse_in_tiles(net, *picture, tile_px=384)
    assert (tiled - whole).abs().max() < 0.5 / 255
    assert (hard - whole).abs().max() > 2 * (tiled - whole).abs().max()


@pytest.mark.parametrize("config", [TINY, DENSE])
def test_memory_is_the_tiles_beside_the_pictures_own_pixels(config):
    net = network(config)
    fold_batch_norms(net)
    small, large = (beyond_its_pixels(net, side_px) for side_px in (512, 1024))
    assert large <= 1.2 * small


def beyond_its_pixels(net, side_px):
    picture, meter = crops(1, side_px), CpuMeter()
    meter.adopt(picture)
    with torch.inference_mode(), meter.measured():
        fused = fuse_in_tiles(net, *picture, tile_px=256)
    joined = net.field_channels if net.overlap_px else 0
    return meter.peak_bytes() - fused.nbytes - sum(t.nbytes for t in picture) - joined * 4 * side_px**2
