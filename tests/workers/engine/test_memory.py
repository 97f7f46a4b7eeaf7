"""The CPU's meter counts real tensors, and holds them to a limit as a GPU's allocator does."""

import subprocess
import sys

import pytest
import torch

from workers.engine.cpu_memory import CpuMeter

MIB = 2**20


def floats(mib):
    return torch.zeros(mib * MIB // 4)


def test_counts_what_lives_and_the_most_that_did():
    meter = CpuMeter()
    with meter.measured():
        kept = floats(3)
        passing = floats(5)
        del passing
        also = kept + 1
    assert meter.used_bytes() == 6 * MIB
    assert meter.peak_bytes() == 8 * MIB
    del kept, also
    assert meter.used_bytes() == 0
    meter.reset_peak()
    assert meter.peak_bytes() == 0


def test_views_are_not_counted_twice():
    meter = CpuMeter()
    with meter.measured():
        kept = floats(4)
        views = [kept[10:], kept.view(2, -1), kept[None]]
    assert meter.used_bytes() == 4 * MIB
    del kept
    assert meter.used_bytes() == 4 * MIB  # a view keeps it
    del views
    assert meter.used_bytes() == 0


def test_tensors_from_before_are_counted_when_adopted():
    meter, before = CpuMeter(), floats(2)
    meter.adopt([before, before[1:]])
    assert meter.used_bytes() == 2 * MIB
    del before
    assert meter.used_bytes() == 0


def test_an_allocation_beyond_the_limit_is_refused_and_leaves_nothing():
    meter = CpuMeter(limit_bytes=4 * MIB)
    with meter.guard():
        kept = floats(3)
        with pytest.raises(torch.OutOfMemoryError):
            floats(2)
        del kept
        assert floats(4).nbytes == 4 * MIB


def test_without_a_limit_nothing_is_watched():
    """So that a worker pays nothing for it."""
    meter = CpuMeter()
    with meter.guard():
        kept = floats(1)
    assert meter.used_bytes() == 0 < kept.nbytes


@pytest.mark.parametrize("guarded", [torch.inference_mode, torch.no_grad])
def test_counts_in_every_mode(guarded):
    meter = CpuMeter()
    with guarded(), meter.measured():
        kept = floats(1) * 2
    assert meter.used_bytes() == kept.nbytes


def test_counting_loads_no_compiler():
    """torch's, with all that it brings, takes seconds to load, and would be most of a worker's start."""
    program = (
        "import sys, torch\n"
        "from workers.engine.cpu_memory import CpuMeter\n"
        "with (meter := CpuMeter()).measured(): kept = torch.ones(4) + 1\n"
        "print(meter.used_bytes(), 'torch._dynamo' in sys.modules, 'sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["16", "False", "False"]
