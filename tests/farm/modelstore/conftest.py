"""Stores, publishers and small weight files."""

from __future__ import annotations

import pytest

from broker.installed import ModelStore
from tests.farm.modelstore.publisher import publishing


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.fixture
def publisher():
    with publishing() as server:
        yield server


def onnx_bytes(seed=0):
    """A real ONNX file: one that adds some numbers to its input."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    numbers = np.random.default_rng(seed).random((1, 512), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Add", ["input", "numbers"], ["output"])],
        "adds",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 512])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 512])],
        [numpy_helper.from_array(numbers, "numbers")],
    )
    return helper.make_model(graph).SerializeToString()
