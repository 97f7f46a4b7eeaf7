"""Exit codes, and how errors are told. Scripts rely on both."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from farm.errors import (
    BadInput,
    FarmError,
    FarmUnreachable,
    JobNotFound,
    ServiceMissing,
    StaleTransition,
    is_bad_input,
)
from farm.states import JobState

DONE = 0
FAILED = 1
BAD_USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def exit_code(error: FarmError) -> int:
    """Return the exit code for an error."""
    if isinstance(error, BadInput | JobNotFound | StaleTransition):
        return BAD_USAGE
    if isinstance(error, FarmUnreachable | ServiceMissing):
        return UNREACHABLE
    return exit_code_of(error.code)


def exit_code_of(code: str) -> int:
    """Return the exit code for a job that failed with an error of this code."""
    return BAD_USAGE if is_bad_input(code) else FAILED


def say_error(error: FarmError, *, as_json: bool, has_job: bool = True) -> None:
    """Tell an error that came before there was a job, or, of a command that `has_job` not, in its place."""
    if as_json:
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        nothing = no_job(JobState.FAILED) if has_job else {}
        sys.stdout.write(json.dumps({**nothing, "error": told}) + "\n")
    say_lines(error.message, error.hint)


def no_job(state: JobState) -> dict[str, object]:
    """Return the object that `--json` prints where there is no job to speak of, but for its error."""
    nothing = dict.fromkeys(("job", "frames", "chunks", "attempts", "seconds", "fps", "output"))
    return {**nothing, "state": str(state)}


def say_lines(message: str, hint: str) -> None:
    """Write an error for people: one line, and one for the remedy."""
    sys.stderr.write(f"error: {_one_line(message)}\n")
    if hint:
        sys.stderr.write(f"hint: {_one_line(hint)}\n")


def wants_json(arguments: Sequence[str]) -> bool:
    """Say whether the command line asks for JSON, without parsing it: it may be what could not be parsed."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in own


def _one_line(text: str) -> str:
    return " ".join(text.split())
