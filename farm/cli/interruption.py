"""What a command says that was interrupted: what became of the job, and what can be done with it now."""

from __future__ import annotations

import json
import sys

from farm.cli.exits import INTERRUPTED, no_job
from farm.errors import FarmError
from farm.states import JobState

Json = dict[str, object]


class Interrupted(FarmError):
    """Raised in place of KeyboardInterrupt once it is known what became of the job.

    `job` is the object that `--json` prints of it; None before there was one.
    """

    code = "interrupted"

    def __init__(self, message: str, *, hint: str = "", job: Json | None = None) -> None:
        super().__init__(message, hint=hint)
        self.job = job


def say_interrupted(error: Interrupted, *, as_json: bool) -> int:
    """Tell it, to people and, in one object, to scripts; return the exit code."""
    if as_json:
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        job = no_job(JobState.CANCELED) if error.job is None else error.job
        sys.stdout.write(json.dumps({**job, "error": told}) + "\n")
    sys.stderr.write(error.message + "\n")
    if error.hint:
        sys.stderr.write(f"hint: {error.hint}\n")
    return INTERRUPTED
