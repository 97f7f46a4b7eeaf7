"""Which pictures a job has put in their places: known by what the files are, whoever put them there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

_NAME = "placed.json"


class Placed:
    """A list in the job's directory, written before files get their names, and kept while the job may go on.

    A file keeps its number, size and time when it is renamed or linked. So whoever goes on, after a crash, a
    pause or a failure, tells the job's own files from what somebody else put there.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME
        self._known: set[tuple[int, ...]] = set()
        if self._path.exists():
            self._known = {tuple(each) for each in json.loads(self._path.read_text())}

    def note(self, files: Iterable[Path]) -> None:
        """Note files that are about to get their names."""
        self._known |= {_identity(path) for path in files}
        aside = self._path.with_name(f".{_NAME}")
        aside.write_text(json.dumps(sorted(self._known)))
        aside.replace(self._path)

    def holds(self, output: Path) -> bool:
        """Say whether the file at an output's place is one of the job's own."""
        return output.exists() and _identity(output) in self._known


def _identity(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
