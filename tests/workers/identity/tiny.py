"""Small ONNX files with the names and shapes of published swap networks, and arithmetic that can be followed.

Each turns a target crop by a small convolution and adds a colour that it computes from the source, so that
wrong normalisation, a swapped channel or another source shows in every pixel.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from farm.modelstore.arrival import Introduction, add
from workers.swappers.identity.contracts import CONTRACTS

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
OPSET = helper.make_opsetid("", 17)


def dice(*words):
    """Return a source of numbers that is the same in every process."""
    return np.random.default_rng(sum(map(ord, "".join(map(str, words)))))


def saved(path, nodes, inputs, outputs, weights, *, kind=FLOAT):
    """Write a network; `weights` keep their order, which inswapper's readers rely on."""
    dtype = np.float16 if kind == HALF else np.float32
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        [
            numpy_helper.from_array(value.astype(dtype) if value.dtype.kind == "f" else value, name)
            for name, value in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[OPSET], ir_version=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def swap_network(path, contract, *, batch=1, kind=FLOAT, seed=0, names=("target", "source", "output")):
    """Write a network of a contract. `batch` is a number, or a word for any number."""
    terms = CONTRACTS[contract]
    target, source, output = names
    side, random = terms.side_px, dice("swap", seed)
    mix = np.zeros((3, 3, 3, 3), np.float32)
    mix[range(3), range(3), 1, 1] = 0.6
    mix += random.normal(0, 0.02, mix.shape).astype(np.float32)
    if terms.source == "crop":
        shape = [batch, 3, terms.source_side_px, terms.source_side_px]
        told = [
            helper.make_node("GlobalAveragePool", [source], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["told"]),
        ]
        size = 3
    else:
        shape, told, size = [batch, 512], [helper.make_node("Identity", [source], ["told"])], 512
    weights = {
        "mix": mix,
        "colour": random.normal(0, 0.1 if size == 3 else 0.5, (size, 3)).astype(np.float32),
        "rows": np.array([-1, 3, 1, 1], np.int64),
    }
    if terms.source == "emap":
        weights["emap"] = random.normal(0, 1, (512, 512)).astype(np.float32)
    nodes = [
        *told,
        helper.make_node("Conv", [target, "mix"], ["mixed"], pads=[1, 1, 1, 1]),
        helper.make_node("MatMul", ["told", "colour"], ["flat"]),
        helper.make_node("Reshape", ["flat", "rows"], ["shift"]),
        helper.make_node("Add", ["mixed", "shift"], [output]),
    ]
    inputs = {target: [batch, 3, side, side], source: shape}
    return saved(path, nodes, inputs, {output: [batch, 3, side, side]}, weights, kind=kind)


def recogniser(path):
    """Write a network that tells pictures apart: a strided convolution and a matrix."""
    random = dice("recogniser")
    nodes = [
        helper.make_node("Conv", ["input.1", "look"], ["seen"], strides=[16, 16]),
        helper.make_node("Flatten", ["seen"], ["flat"]),
        helper.make_node("Gemm", ["flat", "all"], ["683"]),
    ]
    weights = {
        "look": random.normal(0, 0.1, (8, 3, 16, 16)).astype(np.float32),
        "all": random.normal(0, 0.1, (392, 512)).astype(np.float32),
    }
    return saved(path, nodes, {"input.1": [1, 3, 112, 112]}, {"683": [1, 512]}, weights)


def converter(path):
    random = dice("converter")
    weights = {"turn": random.normal(0, 0.1, (512, 512)).astype(np.float32)}
    nodes = [helper.make_node("MatMul", ["input", "turn"], ["output"])]
    return saved(path, nodes, {"input": [1, 512]}, {"output": [1, 512]}, weights)


def install(store, directory, contract, **how):
    """Install a tiny network of a contract, and the recogniser if there is none; return its name."""
    name = f"tiny-{contract}"
    place = directory / name
    swap_network(place / f"{name}.onnx", contract, **how)
    if CONTRACTS[contract].source.startswith("converted"):
        converter(place / "crossface_tiny.onnx")
    add(store, place, Introduction(name=name, contract=contract))
    if "tiny-recogniser" not in store.models():
        path = recogniser(directory / "w600k_r50.onnx")
        add(store, path, Introduction(name="tiny-recogniser", contract="arcface"))
    return name
