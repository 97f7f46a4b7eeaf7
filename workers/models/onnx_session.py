"""ONNX networks: opened with the memory and threads that a worker may use, run on arrays, closed, reopened.

onnxruntime comes with the extra `models`; a worker without it starts and renders with the engines of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.errors import ModelUnusable
from workers.models.extra import extra_module
from workers.models.onnx_binding import Binding, Runner
from workers.models.onnx_providers import OPENVINO, Attempt, SessionSettings, attempts, openvino_here, ran_on
from workers.models.openvino_runner import OpenVinoRunner

log = logging.getLogger(__name__)

Array = NDArray[Any]

#: Severity of onnxruntime's own log: errors. It warns of every initializer that it does not need.
_ERRORS_ONLY = 3

_CPU = SessionSettings()


class OnnxNetwork:
    """A network of named inputs and outputs. Runs of the same input give the same bits.

    Engines get theirs from `workers.engine.sessions.open_network`, which keeps it within the worker's memory.
    """

    def __init__(
        self,
        path: Path,
        settings: SessionSettings = _CPU,
        *,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
        is_open: bool = True,
    ) -> None:
        """Open `path`, unless `is_open` is false: then somebody must call `open` before it is looked at.

        `guard` is entered around every run: it may open a network that was closed.

        Raises:
            PackageMissing: onnxruntime is not installed.
            ModelUnusable: it is no network that can be run.
        """
        self.name = path.name
        self.path = path
        self.inputs: dict[str, tuple[int | None, ...]] = {}
        self.outputs: dict[str, tuple[int | None, ...]] = {}
        self.place = ""  # its name among what a worker keeps within its memory
        self.provider = ""  # what it runs on: "tensorrt", "cuda", "cpu", or OpenVINO's release and precision
        self.trouble = ""  # why it is not what was asked for
        self._settings = settings
        self._guard = guard
        self._runner: Runner | None = None
        if is_open:
            self.open()

    @property
    def is_open(self) -> bool:
        """Whether it takes memory."""
        return self._runner is not None

    @property
    def file_bytes(self) -> int:
        """The size of its file; weights that lie in one beside it are not counted."""
        return self.path.stat().st_size

    @property
    def session(self) -> LentSession:
        """The network as packages want it that run sessions themselves."""
        return LentSession(self)

    def open(self) -> None:
        """Load it; see `__init__` for what can go wrong."""
        self._runner = self._opened(extra_module("onnxruntime"))
        self.inputs, self.outputs = self._runner.inputs, self._runner.outputs
        if self.trouble:
            log.warning("%s runs on the %s: %s", self.name, self.provider, self.trouble)

    def close(self) -> None:
        """Give its memory back. What it takes and gives is still known."""
        self._runner = None

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return all outputs, in the network's order; floating-point ones as float32. They are the caller's.

        Inputs are brought to the type that the network asks for: half precision, say.

        Raises:
            ModelUnusable: the network refuses them.
            BudgetTooSmall: it was closed, and does not fit beside what is in use.
        """
        with self._guard():
            assert self._runner is not None
            try:
                found = self._runner.run(inputs)
            except Exception as error:
                raise ModelUnusable(f"{self.name} cannot be run: {_first_line(error)}") from error
        return [np.asarray(value, np.float32) if value.dtype == np.float16 else value for value in found]

    def warm(self, inputs: Mapping[str, Array]) -> None:
        """Run it without its guard: for whoever has just opened it."""
        assert self._runner is not None
        self._runner.run(inputs)

    @contextmanager
    def lend(self) -> Iterator[Any]:
        """Yield onnxruntime's own session; inside, it stays open."""
        with self._guard():
            assert isinstance(self._runner, Binding)  # nobody lends what may be rounded
            yield self._runner.session

    def blank(self) -> dict[str, Array] | None:
        """Return inputs of zeros for a batch of 1; None where a size is the caller's choice."""
        shapes = {name: (shape[0] or 1, *shape[1:]) if shape else () for name, shape in self.inputs.items()}
        if any(size is None for shape in shapes.values() for size in shape):
            return None
        assert self._runner is not None
        return {name: np.zeros(shape, self._runner.types[name]) for name, shape in shapes.items()}  # type: ignore[arg-type]

    def _opened(self, runtime: Any) -> Runner:
        available = runtime.get_available_providers() + openvino_here()
        ways, self.trouble = attempts(self._settings, available)
        error: Exception | None = None
        for way in ways:
            try:
                return self._openvino() if way.provider == OPENVINO else self._bound(runtime, way)
            except Exception as failed:  # noqa: BLE001 - neither runtime's errors have a common root but this
                error = failed
                self._say(f"{way.name} did not open {self.name}: {_first_line(failed)}")
        assert error is not None
        raise ModelUnusable(f"{self.name} cannot be opened: {_first_line(error)}") from error

    def _bound(self, runtime: Any, way: Attempt) -> Binding:
        if way.provider == "tensorrt" and self._settings.engines is not None:
            self._settings.engines.mkdir(parents=True, exist_ok=True)
        session = runtime.InferenceSession(
            str(self.path),
            sess_options=_options(runtime, self._settings),
            providers=way.entries,
            enable_fallback=0,  # ours is said aloud
        )
        self.provider = ran_on(session.get_providers())
        if self.provider != way.provider:
            self._say(f"{way.name} does not load here, see the log above")
        return Binding(runtime, session, on_gpu=self.provider != "cpu")

    def _openvino(self) -> OpenVinoRunner:
        runner = OpenVinoRunner(self.path, threads=self._settings.threads, half=self._settings.half)
        self.provider = runner.name
        if self._settings.half and not runner.is_half:
            self._say("this processor has no bf16")
        return runner

    def _say(self, trouble: str) -> None:
        self.trouble = "; ".join(filter(None, (self.trouble, trouble)))


class LentSession:
    """What insightface's classes call of onnxruntime's session; closed and opened like the network."""

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network

    def run(self, names: list[str], inputs: Mapping[str, Array]) -> list[Array]:
        """See `onnxruntime.InferenceSession`."""
        with self._network.lend() as session:
            found: list[Array] = session.run(names, inputs)
            return found

    def get_inputs(self) -> list[Any]:
        """See `onnxruntime.InferenceSession`."""
        with self._network.lend() as session:
            return list(session.get_inputs())

    def get_outputs(self) -> list[Any]:
        """See `onnxruntime.InferenceSession`."""
        with self._network.lend() as session:
            return list(session.get_outputs())


def _options(runtime: Any, settings: SessionSettings) -> Any:
    options = runtime.SessionOptions()
    # Several workers share a machine: more than one only fights.
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = True
    # The CPU's arena doubles as it grows, and keeps the most that any run took; without it no run is slower.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _ERRORS_ONLY
    # Threads that wait by spinning take the processor from the decoder, the encoder and other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
