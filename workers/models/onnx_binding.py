"""A session's inputs and outputs, bound to memory: on a GPU to buffers that stay, on a CPU to the caller's.

Without bindings onnxruntime allocates every output, and on a GPU every input, anew for each run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]

#: ONNX Runtime's names for the types of tensors; others are not networks' pictures or numbers of faces.
_TYPES: dict[str, type[np.generic]] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class Runner(Protocol):
    """A network that is open. A size of None is the caller's choice."""

    inputs: dict[str, tuple[int | None, ...]]
    outputs: dict[str, tuple[int | None, ...]]

    @property
    def types(self) -> Mapping[str, type[np.generic]]:
        """The types of the inputs."""

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return all outputs, in the network's order, in arrays of the caller's own."""


class Binding:
    """Runs one session. From several threads one after the other: the buffers are one set."""

    def __init__(self, runtime: Any, session: Any, *, on_gpu: bool) -> None:
        self.session = session
        self.inputs = _shapes(session.get_inputs())
        self.outputs = _shapes(session.get_outputs())
        self.types = {node.name: _TYPES.get(node.type, np.float32) for node in session.get_inputs()}
        self._runtime = runtime
        self._on_gpu = on_gpu
        self._symbols = {node.name: node.shape for node in session.get_inputs()}
        self._outputs = [(node.name, node.shape, _TYPES.get(node.type)) for node in session.get_outputs()]
        self._buffers: dict[tuple[str, Shape], Any] = {}  # on the GPU, made once for each shape
        self._lock = threading.Lock()

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return all outputs, in the network's order, in arrays of the caller's own."""
        fed = {name: np.ascontiguousarray(value, self.types[name]) for name, value in inputs.items()}
        sizes = {
            symbol: size
            for name, value in fed.items()
            for symbol, size in zip(self._symbols.get(name, ()), value.shape, strict=False)
        }
        with self._lock:
            binding = self.session.io_binding()
            for name, value in fed.items():
                self._feed(binding, name, value)
            places = [self._place(binding, *output, sizes) for output in self._outputs]
            self.session.run_with_iobinding(binding)
            if any(place is None for place in places):
                return list(binding.copy_outputs_to_cpu())
            return [place.numpy() if self._on_gpu else place for place in places]

    def _feed(self, binding: Any, name: str, value: Array) -> None:
        if not self._on_gpu:
            binding.bind_cpu_input(name, value)
            return
        buffer = self._buffer(name, value.shape, value.dtype)
        buffer.update_inplace(value)
        binding.bind_ortvalue_input(name, buffer)

    def _place(self, binding: Any, name: str, shape: list[Any], kind: Any, known: dict[Any, int]) -> Any:
        """Bind one output to memory of ours; return it, or None where its size shows only in the run.

        Sizes that are the caller's choice have names, and an input's of the same name says how much.
        """
        sizes = [size if isinstance(size, int) else known.get(size, -1) for size in shape]
        if kind is None or None in shape or -1 in sizes:
            binding.bind_output(name, "cuda" if self._on_gpu else "cpu")
            return None
        if self._on_gpu:
            buffer = self._buffer(f"out {name}", tuple(sizes), kind)
            binding.bind_ortvalue_output(name, buffer)
            return buffer
        given = np.empty(sizes, kind)
        binding.bind_output(name, "cpu", 0, kind, sizes, given.ctypes.data)
        return given

    def _buffer(self, name: str, shape: Shape, kind: Any) -> Any:
        key = name, shape
        if key not in self._buffers:
            self._buffers[key] = self._runtime.OrtValue.ortvalue_from_shape_and_type(
                list(shape), np.dtype(kind).type, "cuda", 0
            )
        return self._buffers[key]


def _shapes(nodes: Any) -> dict[str, tuple[int | None, ...]]:
    return {
        node.name: tuple(size if isinstance(size, int) else None for size in node.shape) for node in nodes
    }
