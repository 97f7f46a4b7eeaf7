"""The file that says where a running farm is, and the lock that keeps a home to one farm."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from farm.errors import BadInput
from farm.launching.identity import is_running, started_at

FILE_NAME = "farm.json"
LOCK_NAME = "farm.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmRecord:
    """A running farm, as written to its home. Whoever reads it may do what the farm's owner may."""

    url: str
    token: str = field(repr=False)
    pid: int
    started: int  # the process's start time, in ticks since boot: its id may be another's by now
    redis_url: str = field(repr=False)
    flower_url: str | None = None
    flower_password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, home: Path) -> FarmRecord | None:
        """Return the record of the farm that runs in `home`; None if none does."""
        try:
            record = cls(**json.loads((home / FILE_NAME).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return record if is_running(record.pid, record.started) else None

    def write(self, home: Path) -> None:
        """Write it so that no reader sees half of it, and no other user any of it."""
        temporary = home / f"{FILE_NAME}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:  # noqa: PTH123 - a descriptor, for its permissions from the first byte
            json.dump(dataclasses.asdict(self), file, indent=2)
        temporary.replace(home / FILE_NAME)

    @staticmethod
    def remove(home: Path) -> None:
        """Remove it, if it is there."""
        (home / FILE_NAME).unlink(missing_ok=True)


def own_start() -> int:
    """Return this process's start time, for its record."""
    return started_at(os.getpid())


class HomeLock:
    """A farm's home, kept to one farm as long as its process lives.

    Raises:
        BadInput: another farm has it.
    """

    def __init__(self, home: Path) -> None:
        self._file = (home / LOCK_NAME).open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise BadInput(
                f"a farm is already up in {home}",
                hint="`farm down` stops it; set FARM_HOME to another directory for a second one",
                code="farm-already-up",
            ) from error

    def close(self) -> None:
        """Let go of the home."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
