"""The engine fuses what its network fuses, within its budget, and never loses a crop for want of memory."""

import dataclasses
import logging

import pytest
import torch

from tests.workers.engine.crops import DENSE, TINY, crops, network
from workers.engine.cpu_memory import CpuMeter
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.lessons import Lessons
from workers.engine.precision import Precision
from workers.errors import BudgetTooSmall, OutOfMemory, UnsuitablePrecision
from workers.models.unet import LITE

CPU = torch.device("cpu")


class FaultyMeter(CpuMeter):
    """An allocator that refuses the next allocations, as many as it is told to."""

    failures = 0

    def _count(self, tensor):
        if self.failures and self.limit_bytes is not None:
            self.failures -= 1
            raise torch.OutOfMemoryError("injected")
        super()._count(tensor)


@pytest.mark.parametrize("config", [TINY, DENSE])
@pytest.mark.parametrize("point", [Point(), Point(tile_px=256), Point(weights="host"), Point(batch=2)])
def test_fuses_what_its_network_fuses(config, point):
    net, picture = network(config), crops(3, 272)
    with torch.inference_mode():
        expected = net(*picture)
    fused = FusionEngine(net, CPU, first=point)(*picture)
    torch.testing.assert_close(
        fused, expected, atol=0.02 if config is DENSE and point.tile_px == 256 else 1e-4, rtol=0
    )
    assert torch.equal(
        fused[(picture[1] == 0).expand_as(fused)], picture[2][(picture[1] == 0).expand_as(fused)]
    )


def test_the_given_network_is_not_changed():
    net = network()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    FusionEngine(net, CPU, first=Point(precision=Precision.BF16)).warm()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_who_came_together_shows_in_nobodys_pixels(precision):
    """What chunk borders hang on: any grouping, any place, any neighbours, the same bits."""
    engine = FusionEngine(network(LITE), CPU, first=Point(batch=4, precision=precision))
    picture = crops(6, 64)
    together = engine(*picture)
    for order in ([5, 2, 0], [1], [3, 4, 0, 1, 2]):
        assert torch.equal(engine(*(tensor[order] for tensor in picture)), together[order])


def test_bf16_is_near_and_fp16_is_refused_on_a_cpu():
    net, picture = network(), crops(1, 64)
    exact, near = (FusionEngine(net, CPU, first=Point(precision=p))(*picture) for p in list(Precision)[:2])
    assert 0 < (exact - near).abs().max() < 0.02
    with pytest.raises(UnsuitablePrecision, match="bf16"):
        FusionEngine(net, CPU, first=Point(precision=Precision.FP16))


def test_the_plan_is_measured():
    engine = FusionEngine(network(LITE), CPU, sides_px=(128, 256))
    plan = engine.warm()
    num_weights = sum(parameter.numel() for parameter in engine._network.parameters())
    assert plan.need.weights_bytes == pytest.approx(4 * num_weights, rel=0.01)
    assert plan.need.batch_bytes > 9 * 4 * 256**2  # at least the crop itself
    assert plan.limit_bytes is None and "no limit" in str(plan)
    assert FusionEngine(network(LITE), CPU, sides_px=(128,)).warm().need.batch_bytes < plan.need.batch_bytes


@pytest.mark.parametrize(
    ("share", "rung"),
    [
        (1.05, Point(batch=4)),
        (0.8, Point(batch=2)),
        (0.45, Point()),
        (0.22, Point(tile_px=256)),
    ],
)
def test_a_smaller_budget_is_kept_by_stepping_down(share, rung):
    def engine(limit):
        return FusionEngine(network(DENSE), CPU, first=Point(batch=4), limit_bytes=limit, sides_px=(512,))

    top = engine(10**12).warm()
    limit = int(share * top.need.total_bytes / 0.9)
    lower = engine(limit)
    plan, picture = lower.warm(), crops(2, 512)
    assert plan.point == rung
    assert len(plan.steps) == [Point(batch=4), Point(batch=2), Point(), Point(tile_px=256)].index(rung)
    assert plan.need.total_bytes <= 0.9 * limit
    torch.testing.assert_close(lower(*picture), engine(10**12)(*picture), atol=0.02, rtol=0)
    assert lower.plan.point == rung  # it did hold


def test_below_the_floor_it_refuses_with_a_number_that_does():
    def engine(limit):
        return FusionEngine(network(DENSE), CPU, first=Point(batch=2), limit_bytes=limit, sides_px=(512,))

    with pytest.raises(BudgetTooSmall, match="what would do") as caught:
        engine(1000).warm()
    plan = engine(caught.value.needed_bytes).warm()
    assert plan.point == Point(tile_px=256, precision=Precision.BF16, weights="host")
    with pytest.raises(BudgetTooSmall):
        engine(int(0.98 * caught.value.needed_bytes)).warm()


def test_every_step_down_does_the_same_crops_again(caplog):
    """An allocator that fails now and then: one rung each time, and every time all crops come out."""
    meter = FaultyMeter()
    engine = FusionEngine(
        network(DENSE), CPU, first=Point(batch=2), limit_bytes=10**12, sides_px=(272,), meter=meter
    )
    engine.warm()
    picture = crops(3, 272)
    expected, seen = engine(*picture), []
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            meter.failures = 1
            torch.testing.assert_close(engine(*picture), expected, atol=0.03, rtol=0)
            seen.append(engine.plan.point)
    assert seen == [
        Point(),
        Point(tile_px=256),
        Point(tile_px=256, precision=Precision.BF16),
        Point(tile_px=256, precision=Precision.BF16, weights="host"),
    ]
    assert caplog.text.count("out of memory (injected)") == 4
    engine(*picture)
    assert engine.plan.point == seen[-1]  # remembered
    meter.failures = 1
    with pytest.raises(OutOfMemory, match="weights in host memory"):
        engine(*picture)
    torch.testing.assert_close(engine(*picture), expected, atol=0.03, rtol=0)  # and it works on


def test_several_failures_in_one_pass_are_several_steps():
    meter = FaultyMeter()
    engine = FusionEngine(
        network(), CPU, first=Point(batch=8), limit_bytes=10**12, sides_px=(64,), meter=meter
    )
    engine.warm()
    meter.failures = 3
    assert len(engine(*crops(3, 64))) == 3
    assert engine.plan.point == Point(batch=1)
    assert len(engine.plan.steps) == 3


def test_what_was_learnt_is_there_at_the_next_start(tmp_path):
    def engine(meter):
        return FusionEngine(
            network(),
            CPU,
            first=Point(batch=4),
            limit_bytes=10**12,
            sides_px=(64,),
            meter=meter,
            lessons=Lessons(tmp_path / "cache", "this machine"),
        )

    first = engine(meter := FaultyMeter())
    first.warm()
    meter.failures = 1
    first(*crops(1, 64))
    assert engine(CpuMeter()).plan.point == first.plan.point == Point(batch=2)
    assert Lessons(tmp_path / "cache", "another").point() is None
    (tmp_path / "cache" / "memory.json").write_text("{")
    assert engine(CpuMeter()).plan.point == Point(batch=4)


def test_host_weights_leave_one_layer_on_the_device_at_most():
    def weights(point):
        meter = CpuMeter()
        engine = FusionEngine(
            network(LITE), CPU, first=point, limit_bytes=10**12, sides_px=(64,), meter=meter
        )
        return engine.warm().need

    on, off = weights(Point()), weights(Point(weights="host"))
    assert off.weights_bytes < 0.02 * on.weights_bytes
    assert off.total_bytes < 0.6 * on.total_bytes


def test_points_are_values():
    assert dataclasses.replace(Point(batch=2), batch=1) == Point()
