"""What the launcher takes from the environment, and what it hands on to its children."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.errors import BadInput

#: Where Flower listens unless told otherwise: its own default.
FLOWER_PORT = 5555


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchConfig:
    """The surroundings of an all-in-one farm."""

    environment: Mapping[str, str] = field(repr=False)  # of this process; the children's begins with it
    redis_url: str | None = None  # None: a private Redis is started
    flower_port: int = FLOWER_PORT
    is_flower_port_chosen: bool = False  # if not, any other will do

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> LaunchConfig:
        """Read the settings.

        Raises:
            BadInput: FARM_FLOWER_PORT is not a port.
        """
        return cls(
            environment=dict(environment),
            redis_url=environment.get("FARM_REDIS_URL") or None,
            flower_port=_port(environment.get("FARM_FLOWER_PORT") or str(FLOWER_PORT)),
            is_flower_port_chosen=bool(environment.get("FARM_FLOWER_PORT")),
        )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 1 << 16:
        return int(text)
    raise BadInput(
        f"FARM_FLOWER_PORT={text!r} is not a port", hint="give a number from 0 to 65535; 0: any free one"
    )
