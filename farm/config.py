"""What an operator may set, read from the environment once. Every name begins with FARM_."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm.errors import BadInput

#: Where the API listens unless told otherwise: a port that no well-known service uses.
API_PORT = 8787

#: Seconds of video in a chunk. Long enough that a chunk's fixed costs vanish, short enough that a lost
#: worker costs little and that a window of a few chunks fits beside any other use of the memory.
CHUNK_SECONDS = 5.0

#: Tries at a chunk before it is given up. A third failure is no accident.
MAX_ATTEMPTS = 3

#: Chunks of one job that may be given up before the job is: one or two are bad places in a video, twenty are
#: a farm that cannot render, and trying the other thousands would only take long (Deadline's number, too).
MAX_FAILED_CHUNKS = 20

#: How often the reconciler looks at every live job, in seconds. Messages only make it look sooner.
TICK_S = 0.5

#: How long an offered chunk may lie unclaimed, with nothing in the queue, before its message counts as lost.
REOFFER_S = 5.0

#: How long a chunk may be without a new frame before anybody looks closer, in seconds: longer than a machine
#: under load stands still, and less than the lease (10 s) of a worker that is simply dead.
STALL_S = 8.0

#: How long a chunk may take to its first frame, and after its last, in seconds: models are loaded, graphs are
#: captured, and a slow preset's encoder lets go of its frames.
STALL_START_S = 120.0


def default_home(environment: Mapping[str, str]) -> Path:
    """Return where a farm keeps its files: $FARM_HOME, else the user's state directory."""
    if "FARM_HOME" in environment:
        return absolute_path(Path(environment["FARM_HOME"]))
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return absolute_path(Path(state)) / "face-fusion-farm"


def absolute_path(path: Path) -> Path:
    """Return a path that begins at the root and only goes down; links in it are kept where they can be.

    "a/.." is not the directory that holds a, where a is a link: such paths have to be resolved.
    """
    path = path.expanduser().absolute()
    if path.name == "..":
        return path.resolve()
    return path.parent.resolve() / path.name if ".." in path.parts else path


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmConfig:
    """A farm's settings. `home` holds the database, the spool, the private Redis and the logs."""

    home: Path
    database_url: str  # SQLAlchemy's form
    api_host: str = "127.0.0.1"
    api_port: int = API_PORT
    api_token: str = field(default="", repr=False)  # empty: no token is asked for
    chunk_seconds: float = CHUNK_SECONDS
    max_attempts: int = MAX_ATTEMPTS
    max_failed_chunks: int = MAX_FAILED_CHUNKS
    tick_s: float = TICK_S
    reoffer_s: float = REOFFER_S
    stall_s: float = STALL_S
    stall_start_s: float = STALL_START_S

    @property
    def url(self) -> str:
        """Return where clients find the API."""
        return f"http://{self.api_host}:{self.api_port}"

    def job_directory(self, job_id: str) -> Path:
        """Return where a job's manifest, source copy and spool lie."""
        return self.home / "jobs" / job_id

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> FarmConfig:
        """Read the settings.

        Raises:
            BadInput: a variable cannot be read as a number.
        """
        home = default_home(environment)
        return cls(
            home=home,
            database_url=environment.get("FARM_DATABASE_URL") or f"sqlite:///{home / 'farm.db'}",
            api_host=environment.get("FARM_API_HOST", "127.0.0.1"),
            api_port=int(_number(environment, "FARM_API_PORT", API_PORT)),
            api_token=environment.get("FARM_API_TOKEN", ""),
            chunk_seconds=_number(environment, "FARM_CHUNK_SECONDS", CHUNK_SECONDS),
            max_attempts=int(_number(environment, "FARM_MAX_ATTEMPTS", MAX_ATTEMPTS)),
            max_failed_chunks=int(_number(environment, "FARM_MAX_FAILED_CHUNKS", MAX_FAILED_CHUNKS)),
            tick_s=_number(environment, "FARM_TICK_S", TICK_S),
            stall_s=_number(environment, "FARM_STALL_S", STALL_S),
            stall_start_s=_number(environment, "FARM_STALL_START_S", STALL_START_S),
            reoffer_s=_number(environment, "FARM_REOFFER_S", REOFFER_S),
        )


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        return float(text)
    except ValueError as error:
        raise BadInput(f"{name}={text!r} is not a number", hint=f"unset {name}, or give a number") from error
