"""Sessions of ONNX Runtime within one budget: closed, opened again, refused, as the kernel counts them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from onnx import helper

from tests.workers.identity.tiny import saved
from workers.engine.process_memory import give_back, resident_bytes
from workers.engine.residency import Residency
from workers.engine.sessions import open_network
from workers.engine.tenants import TorchTenant
from workers.errors import BudgetTooSmall, ModelUnusable
from workers.models.onnx_session import OnnxNetwork

#: Large beside what the first session of a process brings with it, which is some 28 MB.
SIDE = 5600
WEIGHTS_BYTES = SIDE * SIDE * 4


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Three networks of one matrix each, 125 MB."""
    folder, dice = tmp_path_factory.mktemp("matrices"), np.random.default_rng(0)
    return [matrix(folder / f"net{number}.onnx", dice) for number in range(3)]


def matrix(path, dice, size=SIDE):
    return saved(
        path,
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": ["N", size]},
        {"y": ["N", size]},
        {"w": dice.standard_normal((size, size), np.float32)},
    )


def roomy(paths):
    return [open_network(path, residency=Residency(None)) for path in paths]


def within(share):
    return Residency(int(share * WEIGHTS_BYTES), has_reserve=False)


def test_three_networks_in_the_memory_of_two_give_what_they_give_alone(paths):
    x = np.random.default_rng(1).standard_normal((2, SIDE), np.float32)
    expected = [network.run({"x": x})[0] for network in roomy(paths)]
    residency = within(2.9)
    networks = [open_network(path, residency=residency) for path in paths]
    for number in (0, 1, 2, 0, 0, 2, 1):
        assert np.array_equal(networks[number].run({"x": x})[0], expected[number])
        assert sum(network.is_open for network in networks) <= 2
        assert residency.resident[-1] == networks[number].place
    assert residency.num_arrivals == 3 + 5  # opened once each, and found gone at all but two of the runs
    assert "away" in str(residency)


def test_a_size_is_what_the_kernel_says(paths):
    residency = Residency(None)
    give_back()
    before = resident_bytes()
    network = open_network(paths[0], residency=residency)
    assert WEIGHTS_BYTES <= residency.resident_bytes < 2 * WEIGHTS_BYTES
    residency.forget(network.place)
    assert not network.is_open
    assert resident_bytes() - before < WEIGHTS_BYTES / 2


def test_what_does_not_fit_is_refused_with_the_number_that_would_do(paths):
    residency = Residency(WEIGHTS_BYTES // 2)
    with pytest.raises(BudgetTooSmall, match="what would do") as refused:
        open_network(paths[0], residency=residency)
    assert residency.resident == ()
    enough = open_network(paths[0], residency=Residency(refused.value.needed_bytes * 11 // 10))
    assert enough.is_open


def test_what_a_chunk_holds_stays_and_must_fit_together(paths):
    residency = within(2.9)
    one, two, three = (open_network(path, residency=residency) for path in paths)
    with residency.hold(one.place, two.place):
        assert one.is_open and two.is_open and not three.is_open
        with pytest.raises(BudgetTooSmall), residency.hold(three.place):
            pass
    with pytest.raises(BudgetTooSmall), residency.hold(one.place, two.place, three.place):
        pass
    three.run({"x": np.zeros((1, SIDE), np.float32)})
    assert three.is_open


def test_torch_and_onnx_share_the_budget(paths):
    residency = within(1.9)
    network = open_network(paths[0], residency=residency)
    linear = torch.nn.Linear(SIDE, SIDE, bias=False)
    torch.nn.init.normal_(linear.weight)
    weights = linear.weight.detach().clone()
    residency.add("linear", TorchTenant(linear, torch.device("cpu")))
    with residency.use("linear"):
        assert not network.is_open
        assert torch.equal(linear.weight, weights)
    network.run({"x": np.zeros((1, SIDE), np.float32)})
    assert linear.weight.numel() == 0


def test_a_pass_waits_for_another_thread_that_leaves_no_room(paths):
    residency = within(1.9)
    one, two = (open_network(path, residency=residency) for path in paths[:2])
    inside, done = threading.Event(), threading.Event()

    def other():
        with residency.use(one.place):
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(60)
    threading.Timer(0.2, done.set).start()
    two.run({"x": np.zeros((1, SIDE), np.float32)})
    thread.join()
    assert done.is_set() and residency.resident == (two.place,)


def test_one_file_is_opened_once_and_a_bad_one_is_forgotten(paths, tmp_path):
    residency = Residency(None)
    assert open_network(paths[0], residency=residency) is open_network(paths[0], residency=residency)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no network")
    with pytest.raises(ModelUnusable, match=r"bad\.onnx"):
        open_network(bad, residency=residency)
    assert "bad" not in str(residency)


def test_a_session_that_cannot_run_once_is_closed(tmp_path, monkeypatch):
    """It opens, and its first pass fails: nobody would count what it keeps."""
    path = saved(
        tmp_path / "net.onnx",
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": [1, 8]},
        {"y": [1, 8]},
        {"w": np.ones((8, 8), np.float32)},
    )
    residency, opened = Residency(None), []

    def fail(network, _inputs):
        opened.append(network)
        raise RuntimeError("no memory for it")

    monkeypatch.setattr(OnnxNetwork, "warm", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        open_network(path, residency=residency)
    assert not opened[0].is_open
    assert residency.resident == ()
    monkeypatch.undo()
    assert open_network(path, residency=residency).is_open
