"""A home for a farm that lives as long as one command."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.clock import Clock
from farm.errors import BadInput
from farm.launching.farm_file import LOCK_NAME, HomeLock
from farm.launching.home import writing_in

PREFIX = "face-fusion-farm-"

#: A home younger than this may not have been locked yet by the command that made it, in seconds.
YOUNG_S = 60.0

#: How often removing is tried, and the pause in between, in seconds.
REMOVE_TRIES, REMOVE_PAUSE_S = 20, 0.05

#: Where large temporary files belong on Linux: /tmp is often memory, and a spool as large as the output.
DISK = Path("/var/tmp")  # noqa: S108 - mkdtemp makes a fresh directory in it, for this user alone


@contextmanager
def private_home(clock: Clock, parent: Path | None = None) -> Iterator[Path]:
    """Make a fresh home, keep it for the block, and remove it with all that is in it.

    Homes that earlier commands left, because they were killed, are removed first.

    Raises:
        BadInput: there is no place for temporary files.
    """
    parent = _parent() if parent is None else parent
    _sweep(parent)
    with writing_in(parent):
        home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        yield home
    finally:
        _remove(home, clock)


def _parent() -> Path:
    chosen = Path(tempfile.gettempdir())
    is_default = chosen == Path("/tmp")  # noqa: S108 - compared, not written to
    return DISK if is_default and os.access(DISK, os.W_OK) else chosen


def _remove(home: Path, clock: Clock) -> None:
    # What was killed a moment ago may still write its last file into a directory that is being emptied.
    for _ in range(REMOVE_TRIES):
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        clock.sleep(REMOVE_PAUSE_S)


def _sweep(parent: Path) -> None:
    for home in parent.glob(f"{PREFIX}*"):
        try:
            status = home.stat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < YOUNG_S:
                continue
            if not (home / LOCK_NAME).exists():
                continue
            with HomeLock(home):
                shutil.rmtree(home, ignore_errors=True)
        except (OSError, BadInput):
            continue  # in use, or gone: not ours to remove
