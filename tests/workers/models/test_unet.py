"""What the fusion network promises whatever its weights."""

import pytest
import torch
from torch import nn

from workers.models.blocks import fold_batch_norms
from workers.models.cells import enlarge, enlarge_part
from workers.models.dense import STANDARD, DenseConfig, DenseFusionUNet
from workers.models.network import Window
from workers.models.unet import LITE, FusionConfig, FusionUNet, blur_inner

TINY = FusionConfig(width=4, depth=5)
DENSE = DenseConfig(width=2)


def crops(count, size_px, seed=0):
    """Random target, source and mask; a third of the mask is 0, a third 1, the rest between."""
    made = torch.Generator().manual_seed(seed)
    target, source = (torch.rand(count, 3, size_px, size_px, generator=made) for _ in range(2))
    mask = (torch.rand(count, 1, size_px, size_px, generator=made) * 3 - 1).clamp(0, 1)
    return target, source, mask


def wild(config=TINY, seed=0):
    """A network whose every weight is random and large enough to matter."""
    torch.manual_seed(seed)
    network = DenseFusionUNet(config) if isinstance(config, DenseConfig) else FusionUNet(config)
    for name, parameter in network.named_parameters():
        if "norm" not in name:
            nn.init.normal_(parameter, std=0.3)
    return network.eval()


def fuse(network, target, source, mask):
    with torch.inference_mode():
        return network(torch.cat((blur_inner(target, mask), source), 1), mask, target)


@pytest.mark.parametrize("size_px", [64, 128])
def test_untrained_is_the_plain_composite_bit_for_bit(size_px):
    target, source, mask = crops(2, size_px)
    fused = fuse(FusionUNet(TINY).eval(), target, source, mask)
    assert torch.equal(fused, mask * source + (1 - mask) * target)


@pytest.mark.parametrize("size_px", [16, 48, 80, 144])
def test_outside_the_mask_is_the_target_bit_for_bit_at_any_multiple_of_16(size_px):
    target, source, mask = crops(2, size_px)
    fused = fuse(wild(), target, source, mask)
    outside = (mask == 0).expand_as(target)
    assert fused.shape == target.shape
    assert torch.equal(fused[outside], target[outside])
    assert not torch.equal(fused, mask * source + (1 - mask) * target)


def test_the_residual_stays_within_its_bound():
    target, source, mask = crops(3, 64)
    network = wild(FusionConfig(width=4, depth=5, residual_bound=0.125))
    with torch.inference_mode():
        x = torch.cat((blur_inner(target, mask), source), 1)
        residual = network.field(network.survey(x, mask), x, mask, Window(0, 0, 64, 64), 64)
    assert 0.12 < residual.abs().max() <= 0.125


def test_the_result_is_a_picture():
    target, source, mask = crops(3, 64)
    fused = fuse(wild(), target, source, mask)
    assert fused.min() >= 0
    assert fused.max() <= 1


def test_a_batch_equals_its_crops_alone_bit_for_bit():
    """What chunk borders hang on: a crop's pixels may not depend on its neighbours in the batch."""
    target, source, mask = crops(5, 64)
    network = wild(LITE)
    together = fuse(network, target, source, mask)
    alone = [fuse(network, target[i : i + 1], source[i : i + 1], mask[i : i + 1]) for i in range(5)]
    assert torch.equal(together, torch.cat(alone))


def test_batched_layers_agree_with_single_crops_closely():
    """The path that a GPU takes: one pass for the whole batch."""
    target, source, mask = crops(4, 64)
    network = wild(LITE)
    x = torch.cat((blur_inner(target, mask), source), 1)
    with torch.inference_mode():
        torch.testing.assert_close(
            network.fuse(x, mask, target), network(x, mask, target), atol=1e-4, rtol=1e-4
        )


def test_the_face_beneath_the_mask_is_seen_low_passed_only():
    """Detail under the mask that a blur removes does not change the result; shown sharp, it would."""
    target, source, mask = crops(1, 128)
    mask[:] = 0
    mask[..., 32:96, 32:96] = 1
    stripes = torch.zeros(1, 1, 128, 128)
    stripes[..., 40:88, 40:88] = (torch.arange(48) // 4 % 2) * 0.2 - 0.1
    network = wild()
    plain, detailed = (fuse(network, one, source, mask) for one in (target, target + stripes))
    with torch.inference_mode():
        leaked = network(torch.cat((target + stripes, source), 1), mask, target)
        sharp = network(torch.cat((target, source), 1), mask, target)
    assert (detailed - plain).abs().max() < 0.01 * (leaked - sharp).abs().max()


def test_the_source_beyond_its_mask_does_not_matter():
    target, source, mask = crops(1, 64)
    network = wild()
    other = torch.where(mask == 0, torch.zeros_like(source), source)
    assert torch.equal(fuse(network, target, source, mask), fuse(network, target, other, mask))


def test_an_empty_mask_changes_nothing():
    target, source, mask = crops(1, 64)
    assert torch.equal(fuse(wild(), target, source, torch.zeros_like(mask)), target)


def test_blur_leaves_the_outside_sharp_and_the_inside_smooth():
    target, _, mask = crops(1, 128)
    low = blur_inner(target, mask)
    inside = (mask > 0).expand_as(target)
    assert torch.equal(low[~inside], target[~inside])
    assert low[inside].std() < 0.1 * target[inside].std()


def test_blur_has_the_stated_width():
    """A point's image has a standard deviation of a tenth of the side."""
    target = torch.zeros(1, 3, 160, 160)
    target[..., 80, 80] = 1
    low = blur_inner(target, torch.ones(1, 1, 160, 160))[0, 0]
    places = torch.arange(160) - 80.0
    variance = (low.sum(0) * places**2).sum() / low.sum()
    assert variance.sqrt() == pytest.approx(16, rel=0.1)


def test_blur_keeps_a_flat_picture():
    target = torch.full((1, 3, 64, 64), 0.3)
    torch.testing.assert_close(blur_inner(target, torch.ones(1, 1, 64, 64)), target)


def test_blur_of_a_batch_equals_its_crops_alone_bit_for_bit():
    target, _, mask = crops(4, 96)
    alone = [blur_inner(target[i : i + 1], mask[i : i + 1]) for i in range(4)]
    assert torch.equal(blur_inner(target, mask), torch.cat(alone))


@pytest.mark.parametrize("shape", [(60, 60), (64, 48)])
def test_crops_of_other_sizes_are_refused(shape):
    with pytest.raises(ValueError, match="multiple of 16"):
        blur_inner(torch.zeros(1, 3, *shape), torch.zeros(1, 1, *shape))


@pytest.mark.parametrize("config", [TINY, LITE, DENSE])
def test_folding_leaves_no_batch_norm_and_the_same_pictures(config):
    """Whatever statistics the batch norms have gathered: here random ones, unlike those of new ones."""
    network = wild(config)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
    network.core.double()  # so that nothing but the folding can show
    target, source, mask = crops(2, 64)
    before = fuse(network, target, source, mask)
    fold_batch_norms(network)
    torch.testing.assert_close(fuse(network, target, source, mask), before, atol=1e-5, rtol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    fold_batch_norms(network)  # again: nothing is left to fold


def test_a_network_in_training_is_not_folded():
    with pytest.raises(ValueError, match="eval"):
        fold_batch_norms(FusionUNet(TINY))


def test_untrained_dense_network_is_the_plain_composite():
    target, source, mask = crops(2, 64)
    fused = fuse(DenseFusionUNet(DENSE).eval(), target, source, mask)
    assert torch.equal(fused, mask * source + (1 - mask) * target)


def test_dense_network_keeps_the_outside_and_a_picture():
    target, source, mask = crops(2, 80)
    fused = fuse(wild(DENSE), target, source, mask)
    outside = (mask == 0).expand_as(target)
    assert torch.equal(fused[outside], target[outside])
    assert not torch.equal(fused, mask * source + (1 - mask) * target)
    assert fused.min() >= 0 and fused.max() <= 1


def test_dense_network_learns_from_its_first_step():
    """All of its head moves, the blend weight's row as well."""
    network = DenseFusionUNet(DENSE)
    target, source, mask = crops(1, 32)
    network(torch.cat((target, source), 1), mask, target).sum().backward()
    assert network.core.head.weight.grad.abs().sum(dim=(1, 2, 3)).min() > 0


def test_parts_of_an_enlarged_grid_are_the_whole():
    """To the last bit but one, and one part to the other exactly."""
    grid = torch.rand(2, 3, 16, 16)
    whole = enlarge(grid, 256)
    part, other = enlarge_part(grid, 256, (0, 32, 200, 256)), enlarge_part(grid, 256, (8, 40, 100, 90))
    torch.testing.assert_close(part, whole[..., 32:256, 0:200], atol=2e-7, rtol=0)
    assert torch.equal(other, part[..., 8:58, 8:100])


@pytest.mark.parametrize(
    ("kind", "config", "low", "high"),
    [(FusionUNet, LITE, 1e6, 2e6), (DenseFusionUNet, STANDARD, 30e6, 34e6)],
)
def test_presets_have_the_promised_size(kind, config, low, high):
    with torch.device("meta"):
        network = kind(config)
    assert low <= sum(parameter.numel() for parameter in network.parameters()) <= high
