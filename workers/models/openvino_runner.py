"""An installed network on a CPU by OpenVINO, which computes in bf16 where the processor can.

Measured at inswapper's size, one thread of a Xeon with AMX: 5 times as fast as float32 in either runtime.

openvino comes with the extra of that name. Options: docs.openvino.ai, "CPU Device".
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class OpenVinoRunner:
    """Runs one network. From several threads one after the other: its working memory is one set."""

    def __init__(self, path: Path, *, threads: int, half: bool) -> None:
        """Compile the network in `path` for `threads` threads; `half` asks for bf16. Raises RuntimeError."""
        runtime = _runtime()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Several workers share a machine: each bound to the first cores, they would share those.
            "ENABLE_CPU_PINNING": False,
        }
        compiled = _core().compile_model(str(path), "CPU", options)
        #: Whether it computes in bf16: on a processor without, OpenVINO takes float32 by itself.
        self.is_half = compiled.get_property("INFERENCE_PRECISION_HINT") == runtime.Type.bf16
        release = str(runtime.__version__).partition("-")[0]
        self.name = f"OpenVINO {release} in {'bf16' if self.is_half else 'float32'}"
        self.inputs = _shapes(compiled.inputs)
        self.outputs = _shapes(compiled.outputs)
        self.types = {port.any_name: port.element_type.to_dtype().type for port in compiled.inputs}
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """See `Runner`."""
        fed = {name: np.ascontiguousarray(value, self.types[name]) for name, value in inputs.items()}
        with self._lock:
            found = self._request.infer(fed, share_inputs=True)
            return [np.array(found[number]) for number in range(len(self.outputs))]


@functools.cache
def _core() -> Any:
    return _runtime().Core()


def _runtime() -> Any:
    # Its tools, imported with it, tell their makers so. Where the package that does is missing, they do not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def _shapes(ports: Any) -> dict[str, tuple[int | None, ...]]:
    return {
        port.any_name: tuple(None if size.is_dynamic else size.get_length() for size in port.partial_shape)
        for port in ports
    }
