"""What the command line takes from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.config import FarmConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CliConfig:
    """Where the user's farm is."""

    farm: FarmConfig
    farm_url: str | None  # a running farm's API; None: the one in the farm's home, if it runs
    redis_url: str | None = field(repr=False)  # what a worker must know

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> CliConfig:
        """Read FARM_URL, FARM_REDIS_URL and the farm's own settings.

        Raises:
            BadInput: a variable cannot be read as a number.
        """
        return cls(
            farm=FarmConfig.from_environment(environment),
            farm_url=environment.get("FARM_URL") or None,
            redis_url=environment.get("FARM_REDIS_URL") or None,
        )
