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
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

#: What the processes are called that Python starts beside a pool, to remove the named semaphores of whoever
#: died without doing so itself: billiard's, and the standard library's.
TRACKERS = (b"semaphore_tracker", b"resource_tracker")

#: How long these may take, in seconds. It is milliseconds, unless one that held a GPU is slow to die.
TRACKER_S = 5.0

LOOK_S = 0.005

#: States of a process that is dead but for its entry (proc(5)).
DEAD = (b"Z", b"X")


def main(lines: Iterable[str] = sys.stdin) -> None:
    """Read until the end, then finish whatever was left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # what stops the farm in order must not stop its guard first
    groups, paths = _read(lines)
    kill_groups(groups)
    for path in paths:
        _remove(path)


def kill_groups(groups: set[int]) -> None:
    """Kill process groups: last of all the trackers, which first remove the others' semaphores.

    A semaphore that nobody removes stays in memory until the machine is started anew.
    """
    end_s = time.monotonic() + TRACKER_S
    while time.monotonic() < end_s:
        members = list(_members(groups))
        if not any(is_tracker for _, is_tracker in members):
            break
        for pid, is_tracker in members:
            if not is_tracker:
                _kill(os.kill, pid)
        time.sleep(LOOK_S)  # noqa: TID251 - nothing of this project can be imported here
    for group in groups:
        _kill(os.killpg, group)


def _kill(how: Callable[[int, int], None], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        how(number, signal.SIGKILL)


def _members(groups: set[int]) -> Iterator[tuple[int, bool]]:
    """Yield the living processes of these groups, each with whether it is a tracker."""
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():  # noqa: PTH112, PTH208 - as below
        if not name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile
            state, _, group = _content(f"/proc/{name}/stat").rpartition(b")")[2].split()[:3]
            if int(group) in groups and state not in DEAD:
                command = _content(f"/proc/{name}/cmdline")
                yield int(name), any(word in command for word in TRACKERS)


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


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
