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


def drawn_face(num):
    """Return 106 or 68 landmarks (num, 2) of an upright face that fills its box, in -1..1 of the square."""
    turn = np.linspace(-0.15, np.pi + 0.15, 33 if num == 106 else 17)
    jaw = np.column_stack([0.55 * np.cos(turn), 0.05 + 0.6 * np.sin(turn)])

    def arc(x, y, size):
        return np.column_stack([x + np.linspace(-0.12, 0.12, size), np.full(size, y) - 0.01])

    if num == 106:
        groups = [arc(-0.25, -0.1, 10), arc(-0.25, -0.3, 9), arc(0, 0.35, 20), arc(0, 0.1, 15)]
        groups += [arc(0.25, -0.1, 10), arc(0.25, -0.3, 9)]
    else:
        groups = [arc(-0.25, -0.3, 5), arc(0.25, -0.3, 5), arc(0, 0.1, 9)]
        groups += [arc(-0.25, -0.1, 6), arc(0.25, -0.1, 6), arc(0, 0.35, 20)]
    return np.concatenate([jaw, *groups]).astype(np.float32)


def landmarker(path, num=106, *, batch="None", scales=False):
    """Write a landmark network of InsightFace's shapes: a drawn face that moves a little with what it sees.

    `scales` has it scale its input itself, as files do whose first nodes are called so.
    """
    dims, size = (2, 212) if num == 106 else (3, 3309)
    random, seen = dice("landmarks", num), 8
    face = np.zeros((size // dims, dims), np.float32)
    face[-num:, :2] = drawn_face(num)
    if dims == 3:
        face[-num:, 2] = random.normal(0, 0.3, num)
    weights = {
        "look": random.normal(0, 0.05, (seen, 3, 16, 16)).astype(np.float32),
        "all": random.normal(0, 0.01, (seen, size)).astype(np.float32),
        "face": face.reshape(1, -1),
        "mean": np.array([127.5], np.float32),
        "scale": np.array([1 / 128], np.float32),
    }
    first = [
        helper.make_node("Sub", ["data", "mean"], ["centred"], name="Sub_1"),
        helper.make_node("Mul", ["centred", "scale"], ["scaled"], name="Mul_1"),
    ]
    nodes = [
        *(first if scales else []),
        helper.make_node("Conv", ["scaled" if scales else "data", "look"], ["seen"], strides=[16, 16]),
        helper.make_node("GlobalAveragePool", ["seen"], ["mean_seen"]),
        helper.make_node("Flatten", ["mean_seen"], ["flat"]),
        helper.make_node("MatMul", ["flat", "all"], ["moved"]),
        helper.make_node("Add", ["moved", "face"], ["fc1"]),
    ]
    return saved(path, nodes, {"data": [batch, 3, 192, 192]}, {"fc1": [1, size]}, weights)
