"""Has a network that was exported for one input take any number of them, where its graph allows.

Nothing is computed otherwise: the first size of inputs and outputs gets a name in the place of 1, and shapes
that are written down with a 1 in front keep what they are given there. Whether that was right is not reasoned
out but tried: inferred shapes must have the name in front, and inputs together give what each gives alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BATCH = "batch"

#: Weights of fewer bytes stay in the graph, shapes among them.
_LEAST_APART_BYTES = 1024

#: Of an output's spread: how far answers may lie apart that were computed together and alone.
_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Facts:
    """What became of a copy."""

    has_batch: bool
    is_apart: bool = False
    reason: str = ""


class _Fixed(Exception):
    """The network takes one input at a time, for the reason given."""


def make_copy(path: Path, target: Path) -> Facts:
    """Write the copy, its weights beside it; say whether it takes batches."""
    try:
        _write(_batched(_loaded(path)), target)
        _infer(target)
        return Facts(has_batch=True, is_apart=_try(path, target))
    except _Fixed as fixed:
        _write(_loaded(path), target)
        return Facts(has_batch=False, reason=str(fixed))


def _batched(model: Any) -> Any:
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    for value in [*(each for each in graph.input if each.name not in weights), *graph.output]:
        sizes = value.type.tensor_type.shape.dim
        if not sizes or sizes[0].dim_value != 1:
            raise _Fixed(f"{value.name} has no 1 in front")
        sizes[0].dim_param = BATCH
    del graph.value_info[:]  # what was inferred for one
    helper = _onnx("onnx.numpy_helper")
    for tensor in _shapes(graph):
        shape = helper.to_array(tensor)
        if shape.ndim == 1 and len(shape) > 1 and shape[0] == 1:
            kept = shape.copy()
            kept[0] = 0  # Reshape's sign for "as it is"
            tensor.CopyFrom(helper.from_array(kept, tensor.name))
    return model


def _shapes(graph: Any) -> Iterator[Any]:
    """Yield the tensors that say what things are reshaped to."""
    wanted = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    yield from (tensor for tensor in graph.initializer if tensor.name in wanted)
    for node in graph.node:
        if node.op_type == "Constant" and node.output[0] in wanted:
            yield from (attribute.t for attribute in node.attribute if attribute.name == "value")


def _infer(target: Path) -> None:
    """Check that the name comes out in front of every output.

    Raises:
        _Fixed: it does not, or shapes contradict each other.
    """
    onnx = _onnx("onnx")
    skeleton = onnx.load(str(target), load_external_data=False)
    try:
        inferred = _onnx("onnx.shape_inference").infer_shapes(skeleton, strict_mode=True, data_prop=True)
    except Exception as error:  # of a C++ library, without a root of their own
        raise _Fixed(f"its shapes do not fit a batch: {str(error).splitlines()[0]}") from error
    for value in inferred.graph.output:
        if value.type.tensor_type.shape.dim[0].dim_param != BATCH:
            raise _Fixed(f"{value.name} loses the batch on its way")


def _try(path: Path, target: Path) -> bool:
    """Run two inputs together and alone; return whether they are the same to the last bit.

    Raises:
        _Fixed: they differ by more than a last bit may, or the copy is not what the original is.
    """
    original, copy = _session(path), _session(target)
    names = [node.name for node in original.get_inputs()]
    pair = [_dice(original, seed) for seed in (0, 1)]
    together = {name: np.concatenate([one[name] for one in pair]) for name in names}
    try:
        both, first = copy.run(None, together), copy.run(None, pair[0])
    except Exception as error:  # of a C++ library, without a root of their own
        raise _Fixed(f"it does not run with two: {str(error).splitlines()[0]}") from error
    alone = [original.run(None, one) for one in pair]
    if not all(np.array_equal(a, b) for a, b in zip(first, alone[0], strict=True)):
        raise _Fixed("its copy gives other values")
    pairs = [(both[k][n : n + 1], alone[n][k]) for n in range(2) for k in range(len(both))]
    if any(one.shape != other.shape or _apart(one, other) > _TOLERANCE for one, other in pairs):
        raise _Fixed("what one input gives depends on the other")
    return all(np.array_equal(one, other) for one, other in pairs)


def _apart(one: Array, other: Array) -> float:
    spread = float(np.abs(other).max()) or 1.0
    return float(np.abs(one.astype(np.float64) - other).max()) / spread


def _dice(session: Any, seed: int) -> dict[str, Array]:
    dice = np.random.default_rng(seed)
    made = {}
    for node in session.get_inputs():
        if not all(isinstance(size, int) for size in node.shape) or "float" not in node.type:
            raise _Fixed(f"{node.name} is {node.type} of {node.shape}: nobody knows what to try it with")
        kind = np.float16 if node.type == "tensor(float16)" else np.float32
        made[node.name] = dice.random(node.shape, np.float32).astype(kind)
    return made


def _session(path: Path) -> Any:
    runtime = _onnx("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _loaded(path: Path) -> Any:
    return _onnx("onnx").load(str(path))


def _write(model: Any, target: Path) -> None:
    """Write a model, its weights in `target`.data; both appear whole, the model last."""
    weights = target.with_suffix(".data")
    weights.unlink(missing_ok=True)
    fresh = target.with_suffix(".new")
    _onnx("onnx").save(
        model,
        str(fresh),
        save_as_external_data=True,
        location=weights.name,
        size_threshold=_LEAST_APART_BYTES,
    )
    if weights.exists():  # none, where all are small
        weights.chmod(0o644)  # workers may run as another user
    fresh.replace(target)


def _onnx(name: str) -> Any:
    return importlib.import_module(name)
