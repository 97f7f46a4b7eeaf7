"""Small ONNX files with the names and shapes of published restoring and enlarging networks.

A restorer sharpens and adds a colour, so that wrong ranges, swapped channels and misplaced crops show; one
with a fidelity mixes that with what it was given. An enlarger repeats pixels, or blurs what it repeated.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from farm.modelstore.arrival import Introduction, add
from tests.workers.identity.tiny import FLOAT, OPSET, saved
from workers.stages.contracts import RESTORERS, UPSCALERS

TINT = (0.3, 0.0, -0.2)  # in the network's own range, -1..1


def restorer(path, contract, *, side=None):
    """Write a network of a contract; `side` is another than the contract's."""
    terms, weights = RESTORERS[contract], {}
    side = side or terms.side_px
    kernel = np.zeros((3, 1, 3, 3), np.float32)
    kernel[:, 0] = -0.25
    kernel[:, 0, 1, 1] = 3.0
    weights = {"kernel": kernel, "tint": np.array(TINT, np.float32).reshape(1, 3, 1, 1)}
    nodes = [
        helper.make_node("Conv", ["input", "kernel"], ["sharp"], pads=[1, 1, 1, 1], group=3),
        helper.make_node("Add", ["sharp", "tint"], ["full"]),
    ]
    inputs = {"input": [1, 3, side, side]}
    if not terms.takes_fidelity:
        return saved(path, [*nodes, _same("full", "output")], inputs, {"output": [1, 3, side, side]}, weights)
    nodes += [
        helper.make_node("Cast", ["weight"], ["w"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["input", "full"], ["apart"]),
        helper.make_node("Mul", ["apart", "w"], ["back"]),
        helper.make_node("Add", ["full", "back"], ["output"]),
    ]
    return _with_weight(path, nodes, side, weights)


def upscaler(path, factor, *, blur=False, side=None):
    """Write a network that enlarges `factor` times: any size, or the one that `side` fixes."""
    height, width = (side, side) if side else ("height", "width")
    made = (side * factor, side * factor) if side else ("tall", "wide")
    sizes = np.array([1, 1, factor, factor], np.float32)
    kernel = np.zeros((3, 1, 5, 5), np.float32)
    kernel[:, 0] = 1 / 25
    nodes = [
        helper.make_node(
            "Resize",
            ["input", "", "sizes"],
            ["large"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        helper.make_node("Conv", ["large", "kernel"], ["output"], pads=[2, 2, 2, 2], group=3)
        if blur
        else _same("large", "output"),
    ]
    inputs, outputs = {"input": [1, 3, height, width]}, {"output": [1, 3, *made]}
    return saved(path, nodes, inputs, outputs, {"sizes": sizes, "kernel": kernel})


def install(store, directory, contract, **how):
    """Install a tiny network of a contract of either kind; return its name."""
    name = f"tiny-{contract}"
    path = directory / f"{name}.onnx"
    if contract in RESTORERS:
        restorer(path, contract, **how)
    else:
        upscaler(path, UPSCALERS[contract].factor, **how)
    add(store, path, Introduction(name=name, contract=contract))
    return name


def _same(taken, given):
    return helper.make_node("Identity", [taken], [given])


def _with_weight(path, nodes, side, weights):
    """Write a network whose second input is one number in double precision, as CodeFormer's is."""
    from onnx import numpy_helper

    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("input", FLOAT, [1, 3, side, side]),
            helper.make_tensor_value_info("weight", TensorProto.DOUBLE, [1]),
        ],
        [helper.make_tensor_value_info("output", FLOAT, [1, 3, side, side])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[OPSET], ir_version=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
