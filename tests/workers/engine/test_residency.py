"""More networks than memory: all of them run, within the budget, the least recently used leaving first."""

import copy
import random

import pytest
import torch

from tests.workers.engine.crops import crops, network
from workers.engine.cpu_memory import CpuMeter
from workers.engine.residency import Residency
from workers.engine.tenants import TorchTenant
from workers.errors import BudgetTooSmall

CPU = torch.device("cpu")
NAMES = "abcde"


def size_of(net):
    return sum(tensor.nbytes for tensor in net.state_dict().values())


@pytest.fixture
def networks():
    return {name: network(seed=seed) for seed, name in enumerate(NAMES)}


@pytest.fixture
def meter():
    return CpuMeter()


@pytest.fixture
def residency(networks, meter):
    """Room for two and a half networks of five."""
    residency = Residency(int(2.5 * size_of(networks["a"])), has_reserve=False)
    for name, net in networks.items():
        residency.add(name, TorchTenant(copy.deepcopy(net), CPU, meter))
    return residency


def test_five_networks_in_the_memory_of_two_fuse_as_ever(networks, residency, meter):
    """In any order, with the bits that each has alone; the meter sees no more than the budget."""
    picture, order = crops(1, 64), random.Random(1).choices(NAMES, k=25)
    for name in order:
        with torch.inference_mode(), residency.use(name) as one:
            assert torch.equal(one.network(*picture), networks[name](*picture))
        assert residency.resident_bytes == meter.used_bytes() <= 2.5 * size_of(networks["a"])
    assert meter.peak_bytes() <= 2.5 * size_of(networks["a"])
    assert len(set(order)) < residency.num_arrivals < len(order)
    assert residency.arrived_bytes == residency.num_arrivals * size_of(networks["a"])


def test_the_least_recently_used_leaves(residency):
    for name in "abac":
        with residency.use(name):
            pass
    assert residency.resident == ("a", "c")


def test_what_is_in_use_stays(residency):
    with residency.use("a"), residency.use("b"):
        residency.prefetch("c")
        assert residency.resident == ("a", "b")
        with pytest.raises(BudgetTooSmall, match="what would do"), residency.use("c"):
            pass
    with residency.use("c"):
        assert residency.resident == ("b", "c")


def test_what_was_prefetched_is_there(residency):
    residency.prefetch("d")
    assert residency.resident == ("d",)
    with residency.use("d"):
        assert residency.num_arrivals == 1


def test_a_network_beyond_the_budget_is_refused(networks, meter):
    with pytest.raises(BudgetTooSmall):
        Residency(size_of(networks["a"]) - 1, has_reserve=False).add(
            "a", TorchTenant(networks["a"], CPU, meter)
        )
