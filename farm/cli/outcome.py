"""How a job's end is told: a path or a JSON object to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

from farm.cli.exits import DONE, FAILED, exit_code_of, say_lines
from farm.cli.wording import rate
from farm.schemas import JobView
from farm.states import JobState

#: Decimal places of seconds and rates: milliseconds are as fine as they are measured.
PLACES = 3


def to_json(view: JobView) -> dict[str, Any]:
    """Return the object that `--json` prints: the promised fields first, then further ones."""
    promised = {
        "job": view.job,
        "state": str(view.state),
        "frames": view.frames,
        "chunks": view.chunks,
        "attempts": view.attempts,
        "seconds": round(view.seconds, PLACES),
        "fps": _rounded(view.fps),
        "output": view.output,
    }
    further = {
        "outputs": [output.model_dump() for output in view.outputs],
        "created_at": view.created_at,
        "unit": view.unit,
        "stage": view.stage,
        "frames_done": view.frames_done,
        "frames_fused": view.frames_fused,
        "chunks_done": view.chunks_done,
        "first_frame_s": _rounded(view.first_frame_s),
        "eta_s": _rounded(view.eta_s),
        "eta_error_s": _rounded(view.eta_error_s),
        "priority": view.priority,
        "pause": None if view.pause is None else view.pause.model_dump(),
        "failed": [chunk.model_dump() for chunk in view.failed],
        "can_retry": view.can_retry,
        "models": view.models,
        "notes": view.notes,
        "running": [chunk.model_dump() for chunk in view.running],
    }
    error = {} if view.error is None else {"error": view.error.model_dump()}
    return {**promised, **further, **error}


def conclude(view: JobView, *, as_json: bool) -> int:
    """Tell how a job ended, and return the exit code for it."""
    for note in view.notes:
        sys.stderr.write(f"note: {note}\n")
    if as_json:
        sys.stdout.write(json.dumps(to_json(view)) + "\n")
    if view.state == JobState.DONE:
        _say_done(view, as_json=as_json)
        return DONE
    if view.error is not None:
        say_lines(view.error.message, view.error.hint)
        return exit_code_of(view.error.code)
    say_lines(f"job {view.job} is {view.state}", "")
    return FAILED


def _say_done(view: JobView, *, as_json: bool) -> None:
    speed = "" if view.fps is None else f", {rate(view.fps, view.unit)}"
    first = "" if view.first_frame_s is None else f", the first {view.unit} after {view.first_frame_s:.1f} s"
    fused = f"{view.frames_fused} of {view.frames} {view.unit}{'' if view.frames == 1 else 's'} fused"
    sys.stderr.write(f"done: {fused} in {view.seconds:.1f} s{speed}{first}\n")
    if not as_json:
        for path in [output.path for output in view.outputs] or [view.output]:
            sys.stdout.write(f"{path}\n")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)
