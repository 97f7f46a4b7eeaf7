"""What may be set for a soak."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass

#: Ten minutes: some hundred faults.
SECONDS = 600.0


@dataclass(frozen=True)
class SoakConfig:
    """How long, and which faults in which order: the same seed gives the same."""

    seconds: float
    seed: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> SoakConfig:
        """Read FARM_SOAK_SECONDS and FARM_SOAK_SEED; without a seed, a fresh one, to be printed."""
        seed = environment.get("FARM_SOAK_SEED")
        return cls(
            seconds=float(environment.get("FARM_SOAK_SECONDS") or SECONDS),
            seed=random.SystemRandom().randrange(1 << 32) if seed is None else int(seed),
        )
