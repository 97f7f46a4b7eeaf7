"""What an operator may set on a worker, read from the environment once."""

from __future__ import annotations

import math
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Frames that may wait between two stages. Enough to ride out one slow frame, few enough that 4K frames
#: (12 MB each in 4:2:0) cost no more than some 100 MB a queue.
QUEUE_FRAMES = 8

#: Seconds that a render may take to stop when its chunk was taken away, before its process ends itself. Stops
#: come between two frames, and one may take some seconds on a slow CPU; a new process takes as long to start.
STUCK_S = 30.0

#: How an operator names an engine of their own: NAME=MODULE:CLASS.
OWN_ENGINE = re.compile(r"(?P<name>[\w-]+)=(?P<place>[\w.]+:\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """A worker's settings."""

    name: str  # unique in the farm: it is written on every chunk that the worker renders
    warm: tuple[str, ...] = ("portrait",)  # engines made ready before the first chunk is taken
    threads: int = 1  # for decoder and encoder, each
    device: str = "cpu"  # as people are told: "cpu", or "gpu 1" by the driver's number
    queue_frames: int = QUEUE_FRAMES
    stuck_s: float = STUCK_S
    engines: Mapping[str, str] = field(default_factory=dict)  # an operator's own: name → "module:Class"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> WorkerConfig:
        """Read the settings: FARM_WORKER_NAME, _WARM (comma-separated), _THREADS, _STUCK_S, _ENGINES.

        Raises:
            ValueError: a value out of its range; the message names the variable.
        """
        warm = environment.get("FARM_WORKER_WARM", "portrait")
        return cls(
            name=environment.get("FARM_WORKER_NAME") or f"{socket.gethostname()}-{os.getppid()}",
            warm=tuple(name for name in warm.split(",") if name),
            threads=_threads(environment.get("FARM_WORKER_THREADS")),
            device=f"gpu {gpu}" if (gpu := environment.get("CUDA_VISIBLE_DEVICES")) else "cpu",
            stuck_s=_seconds(environment, "FARM_WORKER_STUCK_S", STUCK_S),
            engines=_engines(environment.get("FARM_WORKER_ENGINES", "")),
        )


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"{name}={text!r} is not a number of seconds")
    return seconds


def _engines(text: str) -> dict[str, str]:
    found = [OWN_ENGINE.fullmatch(part.strip()) for part in text.split(",") if part.strip()]
    if None in found:
        raise ValueError(f"FARM_WORKER_ENGINES={text!r} is not NAME=MODULE:CLASS, or several with commas")
    return {one["name"]: one["place"] for one in found if one is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What the command line says of the engine; None: farm.yaml decides, and without one the hardware."""

    settings_path: Path | None = None  # farm.yaml
    profile: str | None = None
    gpu_memory_limit_gb: float | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> EngineConfig:
        """Read FARM_WORKER_SETTINGS, FARM_WORKER_PROFILE and FARM_WORKER_GPU_MEMORY_LIMIT.

        Raises:
            ValueError: a value out of its range; the message names the variable.
        """
        path = environment.get("FARM_WORKER_SETTINGS")
        return cls(
            settings_path=Path(path) if path else None,
            profile=environment.get("FARM_WORKER_PROFILE") or None,
            gpu_memory_limit_gb=_gigabytes(environment.get("FARM_WORKER_GPU_MEMORY_LIMIT")),
        )

    def to_environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads this from."""
        given = {
            "FARM_WORKER_SETTINGS": self.settings_path,
            "FARM_WORKER_PROFILE": self.profile,
            "FARM_WORKER_GPU_MEMORY_LIMIT": self.gpu_memory_limit_gb,
        }
        return {name: str(value) for name, value in given.items() if value is not None}


def _gigabytes(text: str | None) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"FARM_WORKER_GPU_MEMORY_LIMIT={text!r} is not a number of GB")
    return value


def _threads(text: str | None) -> int:
    if not text:
        return os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"FARM_WORKER_THREADS={text!r} is not a number of threads")
    return int(text)


def child_environment(
    *,
    name: str,
    warm: str,
    gpu: str | None,
    engine: EngineConfig | None = None,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return the environment of one worker's processes.

    The GPU is pinned here, before any of them starts. OMP_NUM_THREADS defaults to 1: with more, two
    torch processes on the same cores wait for each other at every barrier, a hundred times slower.
    """
    # Hidden, where none is wanted: `--gpus none` on a machine that has some must mean the CPU.
    pinned = {"CUDA_VISIBLE_DEVICES": gpu or "", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {
        "OMP_NUM_THREADS": "1",
        "SVT_LOG": "1",  # errors only: SVT-AV1 describes itself on stderr at every start
        # Each stage of each chunk is a thread, and glibc gives threads heaps that never shrink: with two
        # for all of them, a worker's memory stays where its first chunk left it.
        "MALLOC_ARENA_MAX": "2",
        **environment,
        "FARM_WORKER_NAME": name,
        "FARM_WORKER_WARM": warm,
        **(engine.to_environment() if engine else {}),
        **pinned,
    }
