"""The fusion engine as one of several: away, it takes nothing; back, it fuses as ever."""

import pytest
import torch

from tests.workers.engine.crops import crops, network
from workers.engine.cpu_memory import CpuMeter
from workers.engine.fusion import FusionEngine
from workers.engine.fusion_tenant import FusionTenant
from workers.engine.ladder import Point
from workers.engine.residency import Residency
from workers.engine.tenants import TorchTenant
from workers.errors import BudgetTooSmall

CPU = torch.device("cpu")
MIB = 2**20


def engine(limit_bytes, **options):
    return FusionEngine(network(), CPU, limit_bytes=limit_bytes, sides_px=(256,), meter=CpuMeter(), **options)


@pytest.fixture(scope="module")
def needed():
    """What the engine takes at its plan, and the crops that it fuses to."""
    free = engine(None)
    return free.warm().need.total_bytes, free(*crops(1, 256))


def test_it_measures_itself_as_it_arrives_and_comes_back_the_same(needed):
    size_bytes, fused = needed
    limit = size_bytes * 2
    one, residency = engine(limit), Residency(limit)
    name = residency.add("fusion", FusionTenant(one))
    other = residency.add("other", TorchTenant(torch.nn.Linear(512, size_bytes // 2048), CPU))
    with residency.hold(name):
        assert one.plan.need.total_bytes == size_bytes == residency.resident_bytes
        assert torch.equal(one(*crops(1, 256)), fused)
    with residency.use(other):
        assert residency.resident == (other,)
        assert all(weight.numel() == 0 for weight in one.network.parameters())
    for _ in range(2):
        with residency.hold(name):
            assert torch.equal(one(*crops(1, 256)), fused)
        with residency.use(other):
            pass


def test_weights_that_were_cast_while_it_was_there_come_back_cast(needed):
    size_bytes, _ = needed
    one, residency = engine(size_bytes * 2, first=Point(batch=2)), Residency(size_bytes * 2)
    name = residency.add("fusion", FusionTenant(one))
    with residency.hold(name):
        pass
    residency.make_way()
    with residency.hold(name):
        while one.plan.point.precision == "fp32":
            one._step_down("for the test", 256)
        expected = one(*crops(1, 256))
    residency.make_way()
    with residency.hold(name):
        assert torch.equal(one(*crops(1, 256)), expected)


def test_a_budget_below_its_foot_is_refused_and_it_is_not_there(needed):
    residency = Residency(needed[0] // 8)
    name = residency.add("fusion", FusionTenant(engine(needed[0] // 8)))
    with pytest.raises(BudgetTooSmall, match="what would do"), residency.hold(name):
        pass
    assert residency.resident == ()


def test_what_is_kept_beside_it_is_part_of_the_budget(needed):
    limit = needed[0] * 10 // 8
    assert not engine(limit).warm().steps
    with pytest.raises(BudgetTooSmall) as refused:
        engine(limit, beside_bytes=limit).warm()
    assert refused.value.needed_bytes > limit
