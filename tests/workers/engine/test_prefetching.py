"""What a chunk needs is on its way while the chunk is: never in the way of it, whatever goes wrong."""

import copy
import threading

import pytest
import torch

from tests.workers.engine.crops import crops, network
from workers.engine.cpu_memory import CpuMeter
from workers.engine.prefetching import prefetching
from workers.engine.residency import Residency
from workers.engine.tenants import TorchTenant
from workers.errors import BudgetTooSmall

CPU = torch.device("cpu")
NAMES = "abcd"
PATIENCE_S = 60


def size_of(net):
    return sum(tensor.nbytes for tensor in net.state_dict().values())


class Gated(TorchTenant):
    """A real network, that comes when it may; how often it came is counted, and it can be broken."""

    def __init__(self, net):
        super().__init__(net, CPU, CpuMeter())
        self.may_come, self.is_coming = threading.Event(), threading.Event()
        self.may_come.set()
        self.num_arrivals = 0
        self.trouble: Exception | None = None

    def arrive(self):
        self.is_coming.set()
        assert self.may_come.wait(PATIENCE_S)
        if self.trouble is not None:
            raise self.trouble
        self.num_arrivals += 1
        super().arrive()


@pytest.fixture
def networks():
    return {name: network(seed=seed) for seed, name in enumerate(NAMES)}


@pytest.fixture
def tenants(networks):
    return {name: Gated(copy.deepcopy(net)) for name, net in networks.items()}


@pytest.fixture
def residency(networks, tenants):
    """Room for two and a half networks of four."""
    residency = Residency(int(2.5 * size_of(networks["a"])), has_reserve=False)
    for name, tenant in tenants.items():
        residency.add(name, tenant)
    return residency


def wait_until(condition):
    tick = threading.Event()
    for _ in range(PATIENCE_S * 100):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it never came")


def test_networks_come_while_the_block_does_something_else(residency, tenants, networks):
    with residency.hold("c", "d"):
        pass
    with prefetching(residency, ("a", "b")):
        wait_until(lambda: set(residency.resident) == {"a", "b"})
    with residency.hold("a", "b"), residency.use("b") as one, torch.inference_mode():
        assert torch.equal(one.network(*crops(1, 64)), networks["b"](*crops(1, 64)))
    assert [tenants[name].num_arrivals for name in "ab"] == [1, 1]


def test_whoever_needs_one_meanwhile_waits_for_it(residency, tenants):
    """It is not brought twice, and never used half."""
    tenants["a"].may_come.clear()
    used = threading.Event()

    def use():
        with residency.hold("a"), residency.use("a"):
            used.set()

    with prefetching(residency, ("a",)):
        assert tenants["a"].is_coming.wait(PATIENCE_S)
        thread = threading.Thread(target=use, daemon=True)
        thread.start()
        assert not used.wait(0.05)
        tenants["a"].may_come.set()
        thread.join(PATIENCE_S)
    assert used.is_set()
    assert tenants["a"].num_arrivals == 1


def test_what_is_in_use_stays_and_what_does_not_fit_together_is_left(residency):
    """A third of one set does not push out the first; the chunk is then refused as ever."""
    with residency.use("d"), prefetching(residency, ("a", "b")):
        wait_until(lambda: "a" in residency.resident)
    assert set(residency.resident) == {"d", "a"}
    with prefetching(residency, ("a", "b", "c")):
        wait_until(lambda: "b" in residency.resident)
    assert set(residency.resident) == {"a", "b"}
    with pytest.raises(BudgetTooSmall, match="what would do"), residency.hold("a", "b", "c"):
        pass


def test_what_is_there_needs_no_thread(residency, tenants):
    with residency.hold("a"):
        pass
    before = threading.active_count()
    with prefetching(residency, ("a",)):
        assert threading.active_count() == before
    with prefetching(residency, ("nobody",)):
        pass
    assert tenants["a"].num_arrivals == 1


def test_trouble_is_met_by_whoever_uses_it(residency, tenants):
    """And only there, with its own error; the others come all the same."""
    tenants["a"].trouble = OSError("the disk is gone")
    with prefetching(residency, ("a", "b")):
        wait_until(lambda: "b" in residency.resident)
    with pytest.raises(OSError, match="the disk is gone"), residency.hold("a", "b"):
        pass
    tenants["a"].trouble = None
    with residency.hold("a", "b"):
        assert set(residency.resident) == {"a", "b"}


def test_a_block_that_ends_early_lets_no_more_come(residency, tenants):
    """The thread ends with the block: nothing moves behind the back of the next chunk."""
    tenants["a"].may_come.clear()
    timer = threading.Timer(0.1, tenants["a"].may_come.set)

    def fail():
        with prefetching(residency, ("a", "b")):
            assert tenants["a"].is_coming.wait(PATIENCE_S)
            timer.start()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert residency.resident == ("a",)
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())


def test_what_was_never_measured_is_left_to_its_first_user(residency, tenants):
    """It may need all the room there is to be measured: nobody leaves for it before its time."""
    tenants["c"].size_bytes = None
    with residency.hold("a", "b"):
        pass
    residency.prefetch("c")
    assert residency.resident == ("a", "b")
