"""Ends what a farm started when the farm itself was killed and could not: `python guard.py`, lines on stdin.

The launcher holds the other end of stdin. When it ends, in whatever way, this reads the end of the file.
Children of children die too, which no signal at a parent's death does for them. Standard library only,
so that it starts in milliseconds.

    group PID    a process group to kill
    gone PID     one that has ended: its number may be somebody else's from now on
    remove PATH  a file or directory to remove, once the groups are dead
    done         everything was stopped in order; nothing is left to do
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress


def main(lines: Iterable[str] = sys.stdin) -> None:
    """Read until the end, then finish whatever was left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # what stops the farm in order must not stop its guard first
    groups, paths = _read(lines)
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for path in paths:
        _remove(path)


def _read(lines: Iterable[str]) -> tuple[set[int], list[str]]:
    """Return the process groups and the paths that are left when the lines end."""
    groups: set[int] = set()
    paths: list[str] = []
    for line in lines:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "done":
            return set(), []
        if word == "group":
            groups.add(int(rest))
        elif word == "gone":
            groups.discard(int(rest))
        elif word == "remove":
            paths.append(rest)
    return groups, paths


def _remove(path: str) -> None:
    with suppress(OSError):
        if os.path.isdir(path):  # noqa: PTH112 - pathlib would double the time that this takes to start
            shutil.rmtree(path)
        else:
            os.unlink(path)  # noqa: PTH108 - as above


if __name__ == "__main__":
    main()
