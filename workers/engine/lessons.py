"""What a worker learnt about memory, kept for its next start: it need not run out at the same place again."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path

from workers.engine.ladder import Point
from workers.engine.precision import Precision

log = logging.getLogger(__name__)


class Lessons:
    """The lowest point that an engine had to step down to, in a file of `folder`; None keeps nothing.

    `key` names what the lesson is about: the device, the budget, and where the engine began. Who asks for
    another batch or precision than then has learnt nothing yet.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        self._path = None if folder is None else folder / "memory.json"
        self._key = key

    def point(self) -> Point | None:
        """Return where the engine stood last; None where nothing was learnt. A broken file is no lesson."""
        try:
            return _point(self._all()[self._key])
        except (KeyError, TypeError, ValueError):
            return None

    def keep(self, point: Point) -> None:
        """Write it down. A worker that cannot goes on: it only forgets."""
        if self._path is None:
            return
        text = json.dumps({**self._all(), self._key: dataclasses.asdict(point)}, indent=1)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(text)
            fresh.replace(self._path)
        except OSError as error:
            log.warning("what was learnt about memory is not kept: %s", error)

    def _all(self) -> dict[str, object]:
        try:
            found = {} if self._path is None else json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _point(fields: object) -> Point:
    if not isinstance(fields, dict):
        raise TypeError(fields)
    return Point(**{**fields, "precision": Precision(fields["precision"])})
