"""The one memory budget of a worker's process, and what keeps everything that it holds within it."""

from __future__ import annotations

import functools

import torch

from workers.config import EngineConfig
from workers.engine.memory import meter_of
from workers.engine.residency import Residency
from workers.engine.settings import Value, settings_of
from workers.models.device import best_device

GB = 10**9

#: Of a GPU's free memory, where nobody says otherwise: the rest is for the display and for other programs.
DEFAULT_SHARE = 0.9


def budget_bytes(settings: dict[str, Value], device: torch.device) -> int | None:
    """Return the budget on `device`; None: none was set, and a CPU's memory is everybody's."""
    limit_gb = settings["gpu_memory_limit"]
    if limit_gb is not None:
        return int(float(limit_gb) * GB)
    free = meter_of(device).free_bytes()
    return None if free is None else int(free * DEFAULT_SHARE)


@functools.cache
def this_residency() -> Residency:
    """Return what keeps this process's networks within its budget.

    Raises:
        BadSettings: the worker's settings cannot be.
    """
    return Residency(budget_bytes(settings_of(EngineConfig.from_environment()), best_device()))
