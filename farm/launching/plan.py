"""What kind of all-in-one farm to start."""

from __future__ import annotations

from dataclasses import dataclass

from farm.config import FarmConfig
from farm.launching.config import LaunchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmPlan:
    """What kind of all-in-one farm to start. `config.api_port` 0 takes any free port."""

    config: FarmConfig
    launch: LaunchConfig
    is_private: bool = False  # lives for one job: keeps nothing, and gives up rather than restart for ever
    gpus: str = "all"  # as `python -m workers --gpus`
    workers_per_device: int = 1
    warm: str = "portrait"  # engines made ready at start
    window_bytes: int | None = None
    has_flower: bool = True
