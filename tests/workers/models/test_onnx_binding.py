"""Outputs come in arrays of the caller's own, also where their size shows only in the run."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from tests.workers.identity.tiny import HALF, saved, swap_network
from workers.models.onnx_session import OnnxNetwork


def test_every_run_gives_arrays_of_its_own(tmp_path):
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    network = OnnxNetwork(saved(tmp_path / "n.onnx", nodes, {"x": [1, 2]}, {"y": [1, 2]}, {}))
    first, second = (network.run({"x": np.full((1, 2), value, np.float32)})[0] for value in (1, 2))
    assert np.array_equal(first, [[-1, -1]]) and np.array_equal(second, [[-2, -2]])


def test_sizes_that_show_only_in_the_run(tmp_path):
    """The places of what is not 0: as many as there are, and whole numbers."""
    graph = helper.make_graph(
        [helper.make_node("NonZero", ["x"], ["places"]), helper.make_node("Identity", ["x"], ["y"])],
        "places",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [
            helper.make_tensor_value_info("places", TensorProto.INT64, [1, "found"]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (tmp_path / "n.onnx").write_bytes(model.SerializeToString())
    network = OnnxNetwork(tmp_path / "n.onnx")
    for values in ([0, 3, 0, 4], [0, 0], [5]):
        x = np.array(values, np.float32)
        places, same = network.run({"x": x})
        assert np.array_equal(places, [np.flatnonzero(x)]) and places.dtype == np.int64
        assert np.array_equal(same, x)


def test_half_precision_is_taken_and_given_as_single(tmp_path):
    network = OnnxNetwork(swap_network(tmp_path / "h.onnx", "inswapper", kind=HALF))
    (found,) = network.run({"target": np.ones((1, 3, 128, 128)), "source": np.zeros((1, 512))})
    assert found.dtype == np.float32 and found.shape == (1, 3, 128, 128)


def test_a_closed_network_opens_again_and_still_says_what_it_takes(tmp_path):
    network = OnnxNetwork(swap_network(tmp_path / "n.onnx", "inswapper"))
    fed = network.blank()
    before = network.run(fed)[0]
    network.close()
    assert not network.is_open and set(network.inputs) == {"target", "source"}
    network.open()
    assert np.array_equal(network.run(fed)[0], before)
