"""Finding the farm's processes by descent, from the kernel's own tables, and ending them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

#: Fields of /proc/PID/stat after the command's closing parenthesis (proc(5)).
_STATE, _PARENT = 0, 1


def children_of(pid: int) -> list[int]:
    """Return the children of a process that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        fields = _fields(int(path.name))
        if fields and int(fields[_PARENT]) == pid and fields[_STATE] not in {"Z", "X"}:
            found.append(int(path.name))
    return found


def parent_of(pid: int) -> int:
    """Return the parent of a process that runs."""
    return int(_fields(pid)[_PARENT])


def is_running(pid: int) -> bool:
    """Say whether a process runs, and is not only waiting to be buried."""
    fields = _fields(pid)
    return bool(fields) and fields[_STATE] not in {"Z", "X"}


def command_of(pid: int) -> str:
    """Return a process's command line; empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill(pid: int) -> None:
    """End a process at once, as the kernel does when memory runs out."""
    os.kill(pid, signal.SIGKILL)


def written_bytes(pid: int) -> int:
    """Return how much a process has written so far, to files and pipes; 0 when it has gone."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(dict(line.split(": ") for line in lines)["wchar"])


def _fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
