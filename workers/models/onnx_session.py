"""ONNX networks: opened once, with the memory and threads that a worker may use, run on arrays.

onnxruntime comes with the extra `models`; a worker without it starts and renders with the engines of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.errors import ModelUnusable, PackageMissing

Array = NDArray[Any]

#: Severity of onnxruntime's own log: errors. It warns of every initializer that it does not need.
_ERRORS_ONLY = 3

#: Number types of inputs, by onnxruntime's names; networks take pictures in single or half precision.
_TYPES: dict[str, type[np.generic]] = {"tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxNetwork:
    """A network of named inputs and outputs. Runs of the same input give the same bits."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Open `path` on the GPU where onnxruntime has one, else on the CPU with `threads` threads.

        Raises:
            PackageMissing: onnxruntime is not installed.
            ModelUnusable: it is no network that can be run.
        """
        runtime = _runtime()
        try:
            self.session = runtime.InferenceSession(
                str(path), sess_options=_options(runtime, threads), providers=_providers(runtime)
            )
        except Exception as error:  # onnxruntime's errors have no common root but this
            raise ModelUnusable(f"{path.name} cannot be opened: {_first_line(error)}") from error
        self.name = path.name
        self.path = path
        self.inputs: dict[str, tuple[int | None, ...]] = _shapes(self.session.get_inputs())
        self.outputs: dict[str, tuple[int | None, ...]] = _shapes(self.session.get_outputs())
        self._types = {node.name: _dtype(node.type) for node in self.session.get_inputs()}

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return all outputs, in the network's order; floating-point ones as float32.

        Inputs are brought to the type that the network asks for: half precision, say.

        Raises:
            ModelUnusable: the network refuses them.
        """
        fed = {name: np.ascontiguousarray(value, self._types[name]) for name, value in inputs.items()}
        try:
            found = self.session.run(None, fed)
        except Exception as error:
            raise ModelUnusable(f"{self.name} cannot be run: {_first_line(error)}") from error
        return [np.asarray(value, np.float32) if value.dtype == np.float16 else value for value in found]


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise PackageMissing(
            "onnxruntime is not installed here: pip install 'face-fusion-farm[worker,models]'"
        ) from error


def _options(runtime: Any, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads  # several workers share a machine: more than one only fights
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = True
    options.log_severity_level = _ERRORS_ONLY
    # Threads that wait by spinning take the processor from the decoder, the encoder and other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _providers(runtime: Any) -> list[Any]:
    """GPU first; its arena grows by what is asked for and not by doubling, so that budgets can be kept."""
    wanted: list[Any] = []
    if "CUDAExecutionProvider" in runtime.get_available_providers():
        wanted.append(("CUDAExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"}))
    return [*wanted, "CPUExecutionProvider"]


def _shapes(nodes: Any) -> dict[str, tuple[int | None, ...]]:
    return {
        node.name: tuple(size if isinstance(size, int) else None for size in node.shape) for node in nodes
    }


def _dtype(kind: str) -> type[np.generic]:
    return _TYPES.get(kind, np.float32)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
