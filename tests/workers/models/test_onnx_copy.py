"""Working copies: batches where the graph allows, the same values always, and no copy that was changed."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from onnx import helper

from broker.installed import digest_of
from tests.workers.identity.tiny import HALF, recogniser, saved, swap_network
from workers.models.onnx_batch import make_copy
from workers.models.onnx_copy import working_copy
from workers.models.onnx_session import OnnxNetwork


def inputs_of(network, seeds):
    dice = [np.random.default_rng(seed) for seed in seeds]
    return {
        name: np.concatenate([each.random((1, *shape[1:]), np.float32) for each in dice])
        for name, shape in network.inputs.items()
    }


def styled(path):
    """Write a network that reshapes what it computes from the source to one row of numbers: [1, -1, 1, 1]."""
    weights = {
        "w": np.random.default_rng(0).standard_normal((512, 3)).astype(np.float32),
        "columns": np.array([1, -1, 1, 1], np.int64),
    }
    nodes = [
        helper.make_node("MatMul", ["source", "w"], ["flat"]),
        helper.make_node("Reshape", ["flat", "columns"], ["shift"]),
        helper.make_node("Add", ["target", "shift"], ["output"]),
    ]
    inputs = {"target": [1, 3, 128, 128], "source": [1, 512]}
    return saved(path, nodes, inputs, {"output": [1, 3, 128, 128]}, weights)


@pytest.mark.parametrize(
    "write",
    [
        styled,
        recogniser,
        lambda path: swap_network(path, "inswapper"),
        lambda path: swap_network(path, "uniface"),
        lambda path: swap_network(path, "inswapper", kind=HALF),
    ],
    ids=["styled", "recogniser", "inswapper", "uniface", "half"],
)
def test_a_network_for_one_takes_several_and_gives_each_what_it_gives_it_alone(tmp_path, write):
    path = write(tmp_path / "net.onnx")
    assert make_copy(path, tmp_path / "copy.onnx").has_batch
    original, copy = OnnxNetwork(path), OnnxNetwork(tmp_path / "copy.onnx")
    together = copy.run(inputs_of(original, range(3)))
    for seed in range(3):
        alone = original.run(inputs_of(original, [seed]))
        for one, other in zip(together, alone, strict=True):
            assert np.abs(one[seed : seed + 1] - other).max() < 1e-3 * np.abs(other).max()
        assert all(
            np.array_equal(*pair) for pair in zip(copy.run(inputs_of(original, [seed])), alone, strict=True)
        )


def network(path, nodes, output, weights=None):
    return saved(path, nodes, {"x": [1, 4]}, {"y": output}, weights or {})


@pytest.mark.parametrize(
    ("nodes", "output", "weights", "reason"),
    [
        ([helper.make_node("Softmax", ["x"], ["y"], axis=0)], [1, 4], {}, "depends on the other"),
        ([helper.make_node("ReduceSum", ["x"], ["y"], keepdims=1)], [1, 1], {}, "loses the batch"),
        ([helper.make_node("Flatten", ["x"], ["y"], axis=0)], [1, 4], {}, "loses the batch"),
        ([helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0])], [4, 1], {}, "no 1 in front"),
    ],
    ids=["softmax", "sum", "flat", "turned"],
)
def test_a_graph_that_mixes_its_inputs_stays_at_one(tmp_path, nodes, output, weights, reason):
    path = network(tmp_path / "net.onnx", nodes, output, weights)
    facts = make_copy(path, tmp_path / "copy.onnx")
    assert not facts.has_batch
    assert re.search(reason, facts.reason), facts.reason
    x = {"x": np.ones((1, 4), np.float32)}
    assert np.array_equal(OnnxNetwork(path).run(x)[0], OnnxNetwork(tmp_path / "copy.onnx").run(x)[0])


def test_a_copy_is_made_once_and_made_again_when_it_was_changed(tmp_path):
    path = swap_network(tmp_path / "net.onnx", "inswapper")
    copy = working_copy(path, digest_of(path))
    assert copy.path.parent == path.parent and copy.path != path and copy.has_batch and copy.is_apart
    made_ns = copy.path.stat().st_mtime_ns
    assert working_copy(path, digest_of(path)) == copy and copy.path.stat().st_mtime_ns == made_ns
    weights = copy.path.with_suffix(".data")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"x")
    assert working_copy(path, digest_of(path)) == copy
    assert weights.read_bytes() == whole


def test_where_no_copy_can_be_made_the_file_itself_is_used(tmp_path, caplog):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"no network")
    copy = working_copy(path, "0" * 64)
    assert copy.path == path and copy.reason and not copy.has_batch
    assert "is used as it is" in caplog.text
    assert not list(tmp_path.glob(".*.json"))


def test_the_facts_are_of_the_files_that_lie_there(tmp_path):
    path = swap_network(tmp_path / "net.onnx", "ghost")
    copy = working_copy(path, digest_of(path))
    facts = json.loads(copy.path.with_suffix(".json").read_text())
    assert facts["sha256"] == [digest_of(copy.path), digest_of(copy.path.with_suffix(".data"))]
