"""Stand-ins for networks that may not be shipped: inswapper's size and shape, random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

#: Channels of the true network: with these, 138 million weights and 175 G multiplications a crop, which are
#: the figures that are published for inswapper_128.
TRUE_WIDTH = 1024
BLOCKS = 6

#: Channels of Real-ESRGAN's networks.
ESRGAN_WIDTH = 64

Weights = dict[str, np.ndarray]


class _Graph:
    """Collects nodes and weights; every layer takes a name and gives one."""

    def __init__(self) -> None:
        self.nodes: list[object] = []
        self.weights: Weights = {}
        self.dice = np.random.default_rng(0)

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """Return random weights that keep a signal's size: He's rule."""
        name = f"w{len(self.weights)}"
        scale = np.float32(np.sqrt(2 / np.prod(shape[1:])))
        self.weights[name] = self.dice.standard_normal(shape, np.float32) * scale
        return name

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.weights)}"
        self.weights[name] = value
        return name

    def conv(self, x: str, takes: int, gives: int, side: int, stride: int = 1) -> str:
        pad = side // 2
        return self.node(
            "Conv", x, self.weight(gives, takes, side, side), pads=[pad] * 4, strides=[stride, stride]
        )

    def relu(self, x: str) -> str:
        return self.node("LeakyRelu", x, alpha=0.2)

    def styled(self, x: str, width: int, source: str) -> str:
        """A convolution whose channels are brought to 0 mean and 1 spread, then set by the source."""
        x = self.conv(x, width, width, 3)
        scale, shift = (
            self.node("Reshape", self.node("MatMul", source, self.weight(512, width)), self._columns)
            for _ in range(2)
        )
        ones, zeros = (self.constant(np.full(width, value, np.float32)) for value in (1, 0))
        calm = self.node("InstanceNormalization", x, ones, zeros)
        return self.node("Add", self.node("Mul", calm, scale), shift)

    @property
    def _columns(self) -> str:
        return self.constant(np.array([1, -1, 1, 1], np.int64))

    def larger(self, x: str, mode: str = "linear") -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", x, "", scales, mode=mode)

    def dense(self, x: str) -> str:
        """Five convolutions that see all before them, a fifth of what they find added: ESRGAN's block."""
        seen = [x]
        for number in range(4):
            joined = self.node("Concat", *seen, axis=1) if number else x
            seen.append(self.relu(self.conv(joined, ESRGAN_WIDTH + 32 * number, 32, 3)))
        found = self.conv(self.node("Concat", *seen, axis=1), ESRGAN_WIDTH + 128, ESRGAN_WIDTH, 3)
        return self.node("Add", self.node("Mul", found, self.constant(np.array(0.2, np.float32))), x)


def inswapper(path: Path, width: int = TRUE_WIDTH) -> Path:
    """Write a network of inswapper's inputs, outputs and layers; `width` below 1024 makes a faster one."""
    graph = _Graph()
    a, b, c = width // 8, width // 4, width // 2
    x = graph.relu(graph.conv("target", 3, a, 7))
    x = graph.relu(graph.conv(x, a, b, 3))
    x = graph.relu(graph.conv(x, b, c, 3, stride=2))
    x = graph.relu(graph.conv(x, c, width, 3, stride=2))
    for _ in range(BLOCKS):
        inner = graph.relu(graph.styled(x, width, "source"))
        x = graph.node("Add", x, graph.styled(inner, width, "source"))
    x = graph.relu(graph.conv(graph.larger(x), width, c, 3))
    x = graph.relu(graph.conv(graph.larger(x), c, b, 3))
    x = graph.relu(graph.conv(x, b, a, 3))
    x = graph.node("Tanh", graph.conv(x, a, 3, 7))
    half = graph.constant(np.array(0.5, np.float32))
    graph.nodes.append(helper.make_node("Add", [graph.node("Mul", x, half), half], ["output"]))
    graph.weights["emap"] = graph.dice.standard_normal((512, 512), np.float32)
    return _save(path, graph, {"target": [1, 3, 128, 128], "source": [1, 512]}, {"output": [1, 3, 128, 128]})


def esrgan(path: Path, blocks: int) -> Path:
    """Write a network of Real-ESRGAN x4's layers, with fewer blocks than its 69: they come one by one."""
    graph, width = _Graph(), ESRGAN_WIDTH
    first = x = graph.conv("input", 3, width, 3)
    for _ in range(blocks):
        x = graph.dense(x)
    x = graph.node("Add", graph.conv(x, width, width, 3), first)
    for _ in range(2):
        x = graph.relu(graph.conv(graph.larger(x, "nearest"), width, width, 3))
    x = graph.conv(graph.relu(graph.conv(x, width, width, 3)), width, 3, 3)
    graph.nodes.append(helper.make_node("Identity", [x], ["output"]))
    return _save(path, graph, {"input": [1, 3, "h", "w"]}, {"output": [1, 3, "tall", "wide"]})


def repeater(path: Path) -> Path:
    """Write the least that enlarges 4 times: it repeats pixels."""
    graph = _Graph()
    x = graph.larger(graph.larger("input", "nearest"), "nearest")
    graph.nodes.append(helper.make_node("Identity", [x], ["output"]))
    return _save(path, graph, {"input": [1, 3, "h", "w"]}, {"output": [1, 3, "tall", "wide"]})


def restorer(path: Path) -> Path:
    """Write a small network of the inputs and outputs of those that restore faces."""
    graph = _Graph()
    x = graph.relu(graph.conv("input", 3, 8, 3))
    graph.nodes.append(helper.make_node("Tanh", [graph.conv(x, 8, 3, 3)], ["output"]))
    return _save(path, graph, {"input": [1, 3, 512, 512]}, {"output": [1, 3, 512, 512]})


def recogniser(path: Path) -> Path:
    """Write a small network of ArcFace's input and output; what it says of a face means nothing."""
    graph = _Graph()
    flat = graph.node("Flatten", graph.conv("input.1", 3, 8, 15, stride=16))
    graph.nodes.append(helper.make_node("MatMul", [flat, graph.weight(8 * 7 * 7, 512)], ["683"]))
    return _save(path, graph, {"input.1": [1, 3, 112, 112]}, {"683": [1, 512]})


def matrices(path: Path, *, layers: int, side: int) -> Path:
    """Write a network of any size, weights in a file beside it: matrices, one after the other."""
    weights = path.with_suffix(".data")
    size, dice = side * side * 4, np.random.default_rng(0)
    one = dice.standard_normal((side, side), np.float32) * np.float32(1 / np.sqrt(side))
    with weights.open("wb") as file:
        for number in range(layers):
            file.write(np.roll(one, number, axis=0).tobytes())  # as good as another, and quicker
    tensors, nodes = [], []
    for number in range(layers):
        tensor = TensorProto(name=f"w{number}", data_type=TensorProto.FLOAT, dims=[side, side])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", number * size), ("length", size)):
            tensor.external_data.add(key=key, value=str(value))
        tensors.append(tensor)
        gives = "y" if number == layers - 1 else f"v{number}"
        nodes.append(helper.make_node("MatMul", [f"v{number - 1}" if number else "x", tensor.name], [gives]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, side]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, path.stem, ends[:1], ends[1:], tensors)
    opset = helper.make_opsetid("", 17)
    path.write_bytes(helper.make_model(graph, opset_imports=[opset], ir_version=10).SerializeToString())
    return path


def _save(
    path: Path, graph: _Graph, inputs: dict[str, list[int | str]], outputs: dict[str, list[int | str]]
) -> Path:
    made = helper.make_graph(
        graph.nodes,
        path.stem,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in graph.weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    path.write_bytes(helper.make_model(made, opset_imports=[opset], ir_version=10).SerializeToString())
    return path
