"""Modules that packages bring, within one budget with ONNX networks: they leave, and come back the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import helper

from tests.workers.identity.tiny import saved
from workers.engine.modules import open_module
from workers.engine.residency import Residency
from workers.engine.sessions import open_network
from workers.errors import BudgetTooSmall

CPU = torch.device("cpu")

#: Of a session: large beside what the first one of a process brings with it.
SIDE = 5600
SESSION_BYTES = SIDE * SIDE * 4


def module(seed=0, side=2800):
    """Return a module of 31 MB, with what a pass of 800 rows takes beside it: 9 MB a result."""
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(side, side), torch.nn.ReLU()).eval()


def weights_bytes(network):
    return sum(tensor.nbytes for tensor in network.parameters())


@torch.inference_mode()
def passed(network, guard, rows=800):
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((rows, 2800), np.float32))
    with guard():
        return network(x).numpy().copy()


def test_a_module_leaves_for_a_session_and_comes_back_the_same(tmp_path):
    dice = np.random.default_rng(0)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    weights = {"w": dice.standard_normal((SIDE, SIDE), np.float32)}
    path = saved(tmp_path / "net.onnx", nodes, {"x": ["N", SIDE]}, {"y": ["N", SIDE]}, weights)
    free, place = module(), "free"
    expected = passed(free, open_module(free, place, device=CPU, residency=Residency(None))[1])
    residency = Residency(int(1.6 * SESSION_BYTES), has_reserve=False)
    network = module()
    name, guard = open_module(network, "net", device=CPU, residency=residency)
    assert np.array_equal(passed(network, guard), expected)
    session = open_network(path, residency=residency)
    assert session.is_open and name not in residency.resident
    assert network[0].weight.numel() == 0
    assert np.array_equal(passed(network, guard), expected)
    assert residency.resident_bytes <= residency.room_bytes


def test_what_a_pass_takes_counts_from_the_first_on():
    network = module()
    residency = Residency(10**9)
    name, guard = open_module(network, "net", device=CPU, residency=residency)
    with residency.use(name):
        assert residency.resident_bytes == weights_bytes(module())
    passed(network, guard)
    row_bytes = 2800 * 4
    took = residency.resident_bytes - weights_bytes(module())
    assert 800 * row_bytes <= took <= 3 * 800 * row_bytes
    passed(network, guard, rows=8)
    assert residency.resident_bytes - weights_bytes(module()) == took


def test_a_module_that_cannot_fit_is_refused_by_the_budget_that_would_do():
    with pytest.raises(BudgetTooSmall, match="what would do"):
        open_module(module(), "net", device=CPU, residency=Residency(20 * 10**6))
