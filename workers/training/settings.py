"""What one training is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a training's result depends on, apart from how many steps fit into its time."""

    minutes: float = 10.0  # the learning rate falls to 0 by then
    seed: int = 1
    size_px: int = 128  # of the exercises; the network looks at a thumbnail, so its skill carries over
    num_trios: int = 1000  # drawn once; exercises are made of them afresh at every step
    batch_size: int = 16
    learning_rate: float = 2e-3
    warm_up_steps: int = 50
    portraits: Path | None = None  # a folder of photographs to train on as well
