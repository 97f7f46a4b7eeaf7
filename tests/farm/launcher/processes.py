"""Looking at processes from outside, and small programs to start."""

from __future__ import annotations

import sys
from pathlib import Path

from broker.clock import SystemClock
from farm.launching.child import Program

#: How long a process may take to come or go on a busy machine, in seconds.
PATIENCE_S = 20.0


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def wait_until(condition) -> None:
    clock = SystemClock()
    end_s = clock.now_s() + PATIENCE_S
    while not condition():
        assert clock.now_s() < end_s, "it did not come to be in time"
        clock.sleep(0.02)


def numbers_in(path: Path, count: int) -> list[int]:
    """Wait until a file holds so many numbers, one a line, and return them."""
    wait_until(lambda: path.exists() and len(path.read_text().splitlines()) >= count)
    return [int(line) for line in path.read_text().splitlines()]


def python_program(tmp_path: Path, code: str, name: str = "child", *, grace_s: float = 3.0) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-I", "-S", "-c", code),
        environment={"PATH": "/usr/bin:/bin"},
        log=tmp_path / f"{name}.log",
        grace_s=grace_s,
    )
