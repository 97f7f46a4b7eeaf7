"""What ONNX Runtime runs a network on: TensorRT, CUDA or the CPU, in this order; and why not on the first.

Names of options: onnxruntime.ai/docs/execution-providers, CUDA and TensorRT.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: By falling speed; farm.yaml's `onnx.provider` says where to begin, "auto": with the first that is here.
PROVIDERS = ("tensorrt", "cuda", "cpu")

_NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
#: What pip gets where a provider is missing.
_REMEDY = "pip install onnxruntime-gpu in the place of onnxruntime"
_TENSORRT_LIBRARIES = ("libnvinfer.so.10", "libnvinfer.so.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How sessions are opened."""

    provider: str = "auto"  # one of `PROVIDERS`, or "auto"
    threads: int = 1  # on a CPU
    has_gpu: bool = False  # whether this process was given one
    arena_bytes: int | None = None  # the most that a session may take on a GPU; None: what there is
    engines: Path | None = None  # where TensorRT keeps the engines that it builds, which takes minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to open a session."""

    provider: str  # the one that is meant to run the network
    entries: list[Any]  # as onnxruntime takes them: it, and those for what it cannot do
    name: str  # onnxruntime's own for it


def attempts(settings: SessionSettings, available: list[str]) -> tuple[list[Attempt], str]:
    """Return the ways to try, best first, and what must be said of one that is not here; empty: nothing."""
    wanted = _wanted(settings)
    if not settings.has_gpu:
        trouble = "" if wanted[0] == "cpu" else f"onnx.provider is {wanted[0]}, but this worker has no GPU"
        return [_attempt(["cpu"], settings)], trouble
    here = [one for one in wanted if _NAMES[one] in available]
    trouble = "" if here[0] == wanted[0] else f"onnxruntime has no {_NAMES[wanted[0]]} here ({_REMEDY})"
    return [_attempt(here[place:], settings) for place in range(len(here))], trouble


def ran_on(session_providers: list[str]) -> str:
    """Return the provider that onnxruntime has put first: it leaves out those that do not load."""
    return next(name for name, full in _NAMES.items() if full in session_providers)


def _wanted(settings: SessionSettings) -> list[str]:
    if settings.provider != "auto":
        return list(PROVIDERS[PROVIDERS.index(settings.provider) :])
    if not settings.has_gpu:
        return ["cpu"]
    return list(PROVIDERS if _has_tensorrt() else PROVIDERS[1:])


def _attempt(chain: list[str], settings: SessionSettings) -> Attempt:
    return Attempt(
        provider=chain[0],
        entries=[(_NAMES[one], dict(_options(one, settings))) for one in chain],
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
