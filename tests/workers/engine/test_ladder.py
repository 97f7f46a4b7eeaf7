"""What is given up, in which order; and how a budget is divided."""

import pytest
import torch

from workers.engine.ladder import Point, down, foot
from workers.engine.plan import MOST_RESERVE_BYTES, Need, Plan, fit, limit_for, reserve_of
from workers.engine.precision import Precision
from workers.errors import BudgetTooSmall

GB = 10**9


def descent(point, side_px=1024):
    while point is not None:
        yield point
        point = down(point, side_px=side_px, half=Precision.BF16)


def test_the_order_is_batch_tile_precision_weights():
    steps = [(p.batch, p.tile_px, str(p.precision), p.weights) for p in descent(Point(batch=4))]
    assert steps == [
        (4, 2048, "fp32", "device"),
        (2, 2048, "fp32", "device"),
        (1, 2048, "fp32", "device"),
        (1, 512, "fp32", "device"),  # not 1024: such a tile is the whole picture
        (1, 256, "fp32", "device"),
        (1, 256, "bf16", "device"),
        (1, 256, "bf16", "host"),
    ]
    assert foot(Point(batch=4), side_px=1024, half=Precision.BF16) == Point(
        tile_px=256, precision=Precision.BF16, weights="host"
    )


def test_what_is_halved_already_is_not_halved_again():
    points = list(descent(Point(precision=Precision.FP16), side_px=128))
    assert [point.weights for point in points] == ["device", "host"]


def needs(point):
    """A made-up engine: 100 bytes a crop and 256 px of tile, 1000 of weights."""
    factor = 1 if point.precision is Precision.FP32 else 2
    batch = 100 * point.batch * min(point.tile_px, 1024) // 256
    weights = (1000 if point.weights == "device" else 10) // factor
    return Need(weights_bytes=weights, graphs_bytes=0, batch_bytes=batch // factor)


@pytest.mark.parametrize(
    ("room", "expected", "num_steps"),
    [
        (2600, Point(batch=4), 0),
        (1800, Point(batch=2), 1),
        (1400, Point(), 2),
        (1100, Point(tile_px=256), 4),
        (550, Point(tile_px=256, precision=Precision.BF16), 5),
        (55, Point(tile_px=256, precision=Precision.BF16, weights="host"), 6),
    ],
)
def test_a_budget_takes_the_highest_point_that_fits(room, expected, num_steps):
    point, need, steps = fit(
        Point(batch=4), needs, limit_bytes=limit_for(room), side_px=1024, half=Precision.BF16
    )
    assert (point, len(steps)) == (expected, num_steps)
    assert need == needs(expected)


def test_too_small_a_budget_is_refused_with_the_number_that_would_do():
    with pytest.raises(BudgetTooSmall, match="what would do") as caught:
        fit(Point(batch=4), needs, limit_bytes=50, side_px=1024, half=Precision.BF16)
    enough = caught.value.needed_bytes
    fit(Point(batch=4), needs, limit_bytes=enough, side_px=1024, half=Precision.BF16)
    with pytest.raises(BudgetTooSmall):
        fit(Point(batch=4), needs, limit_bytes=enough - 2, side_px=1024, half=Precision.BF16)


def test_a_pass_that_runs_out_of_memory_counts_as_not_fitting():
    def measure(point):
        if point.batch > 1:
            raise torch.OutOfMemoryError
        return needs(point)

    point, _, steps = fit(Point(batch=2), measure, limit_bytes=GB, side_px=512, half=Precision.BF16)
    assert point == Point()
    assert "more than there is" in steps[0]


@pytest.mark.parametrize("total", [1, 999, 7 * GB, 50 * GB])
def test_the_least_budget_holds_the_total_beside_its_reserve(total):
    enough = limit_for(total)
    assert enough - reserve_of(enough) >= total
    assert enough - 2 - reserve_of(enough - 2) < total
    assert reserve_of(enough) <= MOST_RESERVE_BYTES


def test_a_plan_in_one_line():
    plan = Plan(device="cuda:0", side_px=1024, point=Point(batch=4), need=needs(Point()), limit_bytes=8 * GB)
    assert str(plan).startswith(
        "cuda:0, up to 1024 px: batch 4, tiles of 2048 px, fp32, weights on the device; "
    )
    assert "reserve 762.9 MiB of 7629.4 MiB" in str(plan)
