"""What runs a network: TensorRT, CUDA, OpenVINO or the CPU, in this order; and why not the first.

OpenVINO is a runtime of its own, for CPUs: it computes in bf16 where the processor can, which onnxruntime
cannot. Networks whose answers are compared or followed are never given to it.

Names of options: onnxruntime.ai/docs/execution-providers, CUDA and TensorRT.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: By falling speed; farm.yaml's `onnx.provider` says where to begin, "auto": with the first that is here.
PROVIDERS = ("tensorrt", "cuda", "cpu")

OPENVINO = "openvino"

_NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    OPENVINO: "OpenVINO",
    "cpu": "CPUExecutionProvider",
}
#: What pip gets where a provider is missing.
_REMEDY = "onnxruntime has no {} here (pip install onnxruntime-gpu in the place of onnxruntime)"
_OPENVINO_REMEDY = "OpenVINO is not installed here (pip install 'face-fusion-farm[worker,models,openvino]')"
_TENSORRT_LIBRARIES = ("libnvinfer.so.10", "libnvinfer.so.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How sessions are opened."""

    provider: str = "auto"  # one of `PROVIDERS`, or "auto"
    threads: int = 1  # on a CPU
    has_gpu: bool = False  # whether this process was given one
    may_round: bool = False  # it paints: 16 bits may do, where others must tell faces apart
    half: bool = False  # 16 bits on a CPU, if they may be
    arena_bytes: int | None = None  # the most that a session may take on a GPU; None: what there is
    engines: Path | None = None  # where TensorRT keeps the engines that it builds, which takes minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to open a session."""

    provider: str  # the one that is meant to run the network
    entries: list[Any]  # as onnxruntime takes them: it, and those for what it cannot do
    name: str  # onnxruntime's own for it


def attempts(settings: SessionSettings, available: list[str]) -> tuple[list[Attempt], str]:
    """Return the ways to try, best first, and what must be said of one that is not here; empty: nothing.

    `available` are onnxruntime's own, and `openvino_here`.
    """
    wanted = _wanted(settings)
    here = [one for one in wanted if _NAMES[one] in available and _can(one, settings)]
    return [_attempt(here[place:], settings) for place in range(len(here))], _trouble(
        wanted[0], here[0], settings
    )


def openvino_here() -> list[str]:
    """Return OpenVINO's name among those that are available, if it is installed."""
    return [_NAMES[OPENVINO]] if importlib.util.find_spec("openvino") else []


def ran_on(session_providers: list[str]) -> str:
    """Return the provider that onnxruntime has put first: it leaves out those that do not load."""
    return next(name for name, full in _NAMES.items() if full in session_providers)


def _can(provider: str, settings: SessionSettings) -> bool:
    return settings.has_gpu or provider in (OPENVINO, "cpu")


def _trouble(first: str, here: str, settings: SessionSettings) -> str:
    if first == here:
        return ""
    if not _can(first, settings):
        return f"onnx.provider is {first}, but this worker has no GPU"
    return _OPENVINO_REMEDY if first == OPENVINO else _REMEDY.format(_NAMES[first])


def _wanted(settings: SessionSettings) -> list[str]:
    on_cpu = [OPENVINO, "cpu"] if settings.may_round else ["cpu"]
    if settings.provider == OPENVINO:
        return on_cpu
    if settings.provider != "auto":
        return list(PROVIDERS[PROVIDERS.index(settings.provider) :])
    if not settings.has_gpu:
        return on_cpu if settings.half else ["cpu"]
    return list(PROVIDERS if _has_tensorrt() else PROVIDERS[1:])


def _attempt(chain: list[str], settings: SessionSettings) -> Attempt:
    return Attempt(
        provider=chain[0],
        entries=[(_NAMES[one], dict(_options(one, settings))) for one in chain if one != OPENVINO],
        name=_NAMES[chain[0]],
    )


def _options(provider: str, settings: SessionSettings) -> Iterator[tuple[str, Any]]:
    if provider == "cuda":
        # By what is asked for and not by doubling, so that budgets can be kept.
        yield "arena_extend_strategy", "kSameAsRequested"
        if settings.arena_bytes is not None:
            yield "gpu_mem_limit", settings.arena_bytes
    if provider == "tensorrt":
        if settings.arena_bytes is not None:
            yield "trt_max_workspace_size", settings.arena_bytes
        if settings.engines is not None:
            yield "trt_engine_cache_enable", True
            yield "trt_engine_cache_path", str(settings.engines)
            yield "trt_timing_cache_enable", True
            yield "trt_timing_cache_path", str(settings.engines)


def _has_tensorrt() -> bool:
    """Say whether TensorRT itself is here: onnxruntime's wheels for GPUs list it on every machine."""
    for library in _TENSORRT_LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return True
    return False
