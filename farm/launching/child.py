"""One child process, that cannot outlive the process that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm.launching.guard import kill_groups

#: prctl(2)'s number for "send me this signal when my parent ends".
PR_SET_PDEATHSIG = 1

#: How much of a log is shown when its child is given up, in bytes.
TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start, and how."""

    name: str  # also the name of its log
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    fds: tuple[int, ...] = ()  # open files that it inherits, under the same numbers
    grace_s: float = 3.0  # from SIGTERM to SIGKILL
    refusal: int | None = None  # the exit status by which it says that its options cannot be used here


class Child:
    """A running program, in a session of its own so that the terminal's Ctrl-C does not reach it.

    Start it from a thread that lives as long as the child may: Linux counts the end of that thread as the
    end of the parent.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                program.command,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=program.fds,
                start_new_session=True,
                preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509 - it calls one system call, no Python locks
            )

    @property
    def pid(self) -> int:
        """Its process id; also that of its process group."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Say whether it has ended, leaving it unreaped, so that its id cannot become somebody else's."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the program itself; what it started is its own business."""
        if not self.has_ended():
            self._process.terminate()

    def finish(self) -> int:
        """Kill whatever is left of it and of its process group, and return its exit status.

        Its id is still its own here: nobody has reaped it.
        """
        if self._process.returncode is None:
            kill_groups({self.pid})
            self._process.kill()
        return self._process.wait()

    def log_tail(self) -> str:
        """Return the last line of its log that says something, for an error message."""
        lines = self._last_lines()
        return lines[-1] if lines else "it said nothing"

    def last_said(self, word: str) -> str:
        """Return what follows `word` and a colon in the last line of its log that begins so; "" if none."""
        found = [line for line in self._last_lines() if line.startswith(f"{word}: ")]
        return found[-1].removeprefix(f"{word}: ") if found else ""

    def _last_lines(self) -> list[str]:
        text = self.program.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()]


def _dies_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork, where no lock can be held

    def die_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call above: no signal will come
            os._exit(1)

    return die_with_parent
