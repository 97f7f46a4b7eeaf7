"""Where Redis is and how much of it the farm may use, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

#: A Redis on the same machine, at the port that Redis listens on unless told otherwise.
REDIS_URL = "redis://127.0.0.1:6379/0"

#: Bytes of all segments in Redis at once. Some dozens of chunks of 1080p video, or a handful of 4K: enough
#: that no worker waits for its next chunk, and small beside the memory of any machine that renders.
WINDOW_BYTES = 256 * 2**20

#: Bytes in one part of a segment. Redis answers nobody else while it copies a part: at 4 MiB that is about
#: a millisecond, and the cost of a round trip has long vanished in it.
PART_BYTES = 4 * 2**20

#: Seconds that a lease lives between two renewals. Must exceed the slowest gap between renewals (a stalled
#: interpreter, a Redis that restarts), not the slowest chunk: it is renewed while the chunk renders. With the
#: pauses before another attempt, a lost worker's chunk runs again within 15 s.
LEASE_TTL_S = 10.0

#: Seconds between two heartbeats: five before a lease lapses.
HEARTBEAT_S = 2.0

#: Seconds after which Celery sends a message again that was taken and never acknowledged. Messages are
#: acknowledged when they are taken, and a second delivery only meets a lease: short is safe here.
VISIBILITY_TIMEOUT_S = 60.0

#: Seconds to wait for Redis's answer. Longer than copying a part over a slow network, and short enough that
#: a lease outlives one lost connection.
SOCKET_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """The broker's settings; each is read from FARM_ and its name in capitals.

    Raises:
        ValueError: a value out of its range; the message names the variable.
    """

    redis_url: str = field(default=REDIS_URL, repr=False)  # may hold a password
    namespace: str = "farm"  # before every key, so that several farms can share a Redis
    window_bytes: int = WINDOW_BYTES
    part_bytes: int = PART_BYTES
    lease_ttl_s: float = LEASE_TTL_S
    heartbeat_s: float = HEARTBEAT_S
    visibility_timeout_s: float = VISIBILITY_TIMEOUT_S
    socket_timeout_s: float = SOCKET_TIMEOUT_S

    def __post_init__(self) -> None:
        if not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("FARM_REDIS_URL must begin with redis://, rediss:// or unix://")
        if not self.namespace:
            raise ValueError("FARM_NAMESPACE must not be empty")
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, int | float) and not 0 < value < float("inf"):
                raise ValueError(f"{_variable(setting.name)} must be positive and finite, not {value!r}")
        if self.part_bytes > self.window_bytes:
            raise ValueError("FARM_PART_BYTES must not exceed FARM_WINDOW_BYTES")
        if self.lease_ttl_s < 2 * self.heartbeat_s:
            raise ValueError("FARM_LEASE_TTL_S must be at least two of FARM_HEARTBEAT_S: one may be lost")

    @property
    def address(self) -> str:
        """Where Redis is, for people: the URL without its user and password."""
        scheme, _, rest = self.redis_url.partition("://")
        return rest if scheme == "unix" else rest.rpartition("@")[2]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> BrokerConfig:
        """Read the settings; those that are unset or empty keep their defaults.

        Raises:
            ValueError: a value that is no number, or out of its range; the message names the variable.
        """
        default = cls()
        given = {
            setting.name: _parse(_variable(setting.name), text, getattr(default, setting.name))
            for setting in fields(cls)
            if (text := environment.get(_variable(setting.name)))
        }
        return cls(**given)  # type: ignore[arg-type]  # each value has its default's type


def models_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where this machine's models lie: $FARM_MODELS, else a place among the user's data.

    Not below the farm's home: every farm and every worker of a machine shares them, private farms too.
    """
    if environment.get("FARM_MODELS"):
        return Path(environment["FARM_MODELS"]).expanduser().absolute()
    data = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "face-fusion-farm" / "models"


def _variable(name: str) -> str:
    return f"FARM_{name.upper()}"


def _parse(variable: str, text: str, default: str | float) -> str | float:
    if isinstance(default, str):
        return text
    kind = type(default)
    try:
        return kind(text)
    except ValueError as error:
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"{variable}={text!r} is not {what}") from error
