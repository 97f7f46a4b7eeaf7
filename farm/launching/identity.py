"""Telling a process from another that later got the same id."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from farm.errors import FarmError

#: The place of the start time in /proc/PID/stat, counted after the command's closing parenthesis (proc(5)).
_START_FIELD = 19


def started_at(pid: int) -> int:
    """Return when a process was started, in the kernel's ticks since boot; 0 if it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[_START_FIELD])


class ProcessHandle:
    """A process that stays the same one, whatever happens to its id.

    Raises:
        ProcessLookupError: there is none of that id that was started then.
    """

    def __init__(self, pid: int, started: int) -> None:
        self._fd = os.pidfd_open(pid)
        if started_at(pid) != started:
            os.close(self._fd)
            raise ProcessLookupError(pid)

    def terminate(self) -> None:
        """Ask it to end.

        Raises:
            FarmError: it is another user's.
        """
        try:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, signal.SIGTERM)
        except PermissionError as error:
            raise FarmError("the farm belongs to another user", hint="stop it as that user") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


def is_running(pid: int, started: int) -> bool:
    """Say whether the process of that id is still the one that was started then, and not a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = text.rpartition(")")[2].split()
    return int(fields[_START_FIELD]) == started and fields[0] not in {"Z", "X"}
