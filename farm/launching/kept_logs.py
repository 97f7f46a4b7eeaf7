"""What remains of a private farm that failed: the ends of its logs, in the user's own farm home."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PREFIX = "failed-"

#: Failures of which logs are kept: the newest. Nobody looks for the sixth.
MOST_KEPT = 5

#: How much of a log is kept, in bytes. What a farm died of stands at the end.
TAIL_BYTES = 1 << 20


def keep_logs(farm_home: Path, user_home: Path, name: str) -> Path | None:
    """Copy the ends of a farm's logs to `user_home`/failed-`name`, and return that; None if it cannot be.

    Of such directories the newest five are kept, and those before them are removed.
    """
    directory = user_home / f"{PREFIX}{name}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for log in (farm_home / "logs").glob("*.log"):
            _copy_end(log, directory / log.name)
        _sweep(user_home)
    except OSError:
        return None
    return directory


def _copy_end(log: Path, copy: Path) -> None:
    with log.open("rb") as source, copy.open("wb") as target:
        source.seek(max(0, log.stat().st_size - TAIL_BYTES))
        target.write(source.read(TAIL_BYTES))


def _sweep(user_home: Path) -> None:
    kept = sorted(
        (entry for entry in os.scandir(user_home) if entry.name.startswith(PREFIX) and entry.is_dir()),
        key=lambda entry: entry.stat().st_mtime_ns,
    )
    for entry in kept[:-MOST_KEPT]:
        shutil.rmtree(entry.path, ignore_errors=True)
