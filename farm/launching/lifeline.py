"""The launcher's end of its guard."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from farm.launching import guard


class Lifeline:
    """Tells the guard what to end if this process is killed."""

    def __init__(self) -> None:
        # -I -S: no site-packages, no PYTHON* variables; the guard needs neither, and starts the faster.
        self._process = subprocess.Popen(
            (sys.executable, "-I", "-S", str(guard.__file__)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def add_group(self, pid: int) -> None:
        """Name a process group that dies with this process."""
        self._say(f"group {pid}")

    def drop_group(self, pid: int) -> None:
        """Take back a group that has ended."""
        self._say(f"gone {pid}")

    def add_path(self, path: Path) -> None:
        """Name a file or directory that is removed when this process dies."""
        self._say(f"remove {path}")

    def close(self) -> None:
        """Dismiss the guard: everything was stopped in order. Does nothing the second time."""
        assert self._process.stdin is not None
        if self._process.stdin.closed:
            return
        self._say("done")
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # somebody killed the guard: we can do without
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
