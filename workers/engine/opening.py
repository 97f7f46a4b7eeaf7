"""Opens the fusion engine that a worker's settings ask for."""

from __future__ import annotations

import importlib
from pathlib import Path

import torch

from workers.config import EngineConfig
from workers.engine.budget import GB, budget_bytes
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.lessons import Lessons
from workers.engine.managed import ManagedPool
from workers.engine.precision import Precision, half_of
from workers.engine.profile import Profile, profile_for
from workers.engine.settings import Value, settings_of
from workers.errors import BadSettings
from workers.models.weights import load_fusion

#: Sides of crops, in pixels, that workers make: those up to the default resolution are made ready.
SIDES_PX = (128, 256, 512, 1024, 2048, 4096)


def open_fusion(
    device: torch.device, config: EngineConfig | None = None, *, beside_bytes: int = 0
) -> FusionEngine:
    """Return the shipped fusion network's engine, as the environment and its farm.yaml have it; not yet warm.

    `beside_bytes` of the budget are taken by what it works with all along.

    Raises:
        BadSettings: a setting that cannot be.
        WeightsRejected: the weights are missing or not the ones that were shipped.
    """
    config = config or EngineConfig.from_environment()
    settings = settings_of(config)
    profile = profile_for(str(settings["profile"]), device)
    limit_gb, reuse = settings["gpu_memory_limit"], float(settings["inference.reuse_threshold"] or 0)
    most_px = settings["default_resolution"] or profile.resolution_px
    network, first = load_fusion(), first_point(settings, profile, device)
    if first.precision is Precision.INT8:
        # Only now: onnxruntime is an extra, and costs a quarter of a second.
        importlib.import_module("workers.models.quantized").quantize_core(network)
    return FusionEngine(
        network,
        device,
        first=first,
        limit_bytes=budget_bytes(settings, device),
        beside_bytes=beside_bytes,
        sides_px=tuple(side for side in SIDES_PX if side <= int(most_px)),
        lessons=Lessons(
            _folder(settings["cuda_graph.cache_path"]), f"{_device_name(device)}, {limit_gb} GB, from {first}"
        ),
        managed=managed_pool(settings["managed_memory_limit"], device),
        has_graphs=not reuse and bool(_or(settings["cuda_graph.enabled"], profile.graphs)),
        reuse_threshold=reuse,
    )


def managed_pool(limit_gb: Value, device: torch.device) -> ManagedPool | None:
    """Return the pool of managed memory that the settings ask for; None: they ask for none.

    Raises:
        BadSettings: the worker has no GPU.
        PackageMissing: there is no C compiler.
    """
    if limit_gb is None:
        return None
    if device.type != "cuda":
        raise BadSettings("managed_memory_limit: managed memory is CUDA's, and this worker has no GPU")
    return ManagedPool(int(float(limit_gb) * GB))


def first_point(settings: dict[str, Value], profile: Profile, device: torch.device) -> Point:
    """Return where the engine begins on the ladder.

    Crops whose transforms may be another frame's go one by one: whether each needs a convolution is its own
    affair, and a pass that waits for others would run one for most of them all the same.
    """
    if settings["inference.quantization"] == "int8":
        precision = Precision.INT8
    else:
        has_amp = bool(_or(settings["inference.amp_enabled"], profile.amp))
        precision = half_of(device) if has_amp else Precision.FP32
    has_reuse = bool(settings["inference.reuse_threshold"])
    return Point(
        batch=1 if has_reuse else int(settings["inference.batch"] or profile.batch),
        tile_px=int(settings["tile"] or profile.tile_px),
        precision=precision,
    )


def _folder(value: Value) -> Path | None:
    return None if value is None else Path(str(value)).expanduser()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _or(value: Value, otherwise: Value) -> Value:
    return otherwise if value is None else value
