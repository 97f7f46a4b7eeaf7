"""What `farm submit --check` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing

from farm.cli.config import CliConfig
from farm.cli.connection import connect
from farm.cli.exits import BAD_USAGE, DONE
from farm.cli.wording import duration_about, json_line, size
from farm.requests import JobRequest
from farm.schemas import CheckView


def check_now(request: JobRequest, *, as_json: bool) -> int:
    """Say what a job would take; the exit code says whether it can be done now."""
    with closing(connect(CliConfig.from_environment())) as client:
        view = client.check(request)
    sys.stdout.write(json_line(view.model_dump()) if as_json else "\n".join(_lines(view)) + "\n")
    return DONE if view.ok else BAD_USAGE


def _lines(view: CheckView) -> Iterator[str]:
    about = "about " if view.unit == "frame" else ""
    frames = "?" if view.frames is None else f"{about}{view.frames}"
    chunks = "?" if view.chunks is None else f"about {view.chunks}"
    yield f"{view.unit + 's':10}{frames}, in {chunks} chunks"
    yield f"disk      {_disk(view)}"
    yield f"time      {_time(view)}"
    yield f"portrait  {'not looked at' if view.faces is None else f'faces: {view.faces}'}"
    for note in view.notes:
        yield f"note      {note}"
    for problem in view.problems:
        yield f"problem   {problem}"
    yield "the job can be submitted" if view.ok else "the job cannot be done as it is"


def _disk(view: CheckView) -> str:
    needed = "no measurement yet" if view.spool_bytes is None else f"about {size(view.spool_bytes)}"
    return (
        f"{needed} of finished chunks, and as much of output; free: {size(view.spool_free_bytes)} in the "
        f"farm's home, {size(view.output_free_bytes)} at the output"
    )


def _time(view: CheckView) -> str:
    if view.render_s is None:
        return "no measurement yet"
    about = duration_about(view.render_s, view.render_error_s)
    return f"{about} to render on {view.workers} workers, from {view.measured_jobs} earlier jobs"
