"""Numbers in words, the same everywhere on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from farm.schemas import JobView, Unit
from farm.states import CHUNKED_STATES

MINUTE_S = 60
HOUR_S = 3600


def duration(seconds: float | None) -> str:
    """Return "1:02:03", "2:03" or, for None, "-"."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    hours, minutes = whole // HOUR_S, whole // MINUTE_S % MINUTE_S
    if hours:
        return f"{hours}:{minutes:02}:{whole % MINUTE_S:02}"
    return f"{minutes}:{whole % MINUTE_S:02}"


def duration_about(seconds: float | None, error_s: float | None) -> str:
    """Return "2:03 ± 0:10", or only the first where the error is not known."""
    return duration(seconds) + ("" if seconds is None or error_s is None else f" ± {duration(error_s)}")


def size(num_bytes: int) -> str:
    """Return "1.5 GiB", "20 MiB" or "3 KiB"."""
    for unit, name, places in ((1 << 30, "GiB", 1), (1 << 20, "MiB", 0)):
        if num_bytes >= unit:
            return f"{num_bytes / unit:.{places}f} {name}"
    return f"{-(-num_bytes >> 10)} KiB"


def rate(fps: float | None, unit: Unit = "frame") -> str:
    """Return "24.5 fps", "24.5 pictures/s" or, for None, "-"."""
    per_s = "fps" if unit == "frame" else f"{unit}s/s"
    return "-" if fps is None else f"{fps:.1f} {per_s}"


def percent(view: JobView) -> str:
    """Return how much of a job's frames is done; "-" before they were counted."""
    return f"{100 * view.frames_done // view.frames} %" if view.frames else "-"


def progress_line(view: JobView) -> str:
    """Return a job's progress in one line."""
    if view.pause is not None:
        return f"{view.job}  {view.stage}  {percent(view)}  {view.pause.reason}".rstrip()
    has_begun = bool(view.running or view.frames_done)
    if view.state not in CHUNKED_STATES or not view.frames or (view.stage == "queued" and not has_begun):
        return f"{view.job}  {view.stage or view.state}"
    workers = sorted({chunk.worker for chunk in view.running})
    count = f"{len(view.running)} chunk{'' if len(view.running) == 1 else 's'} in flight"
    held = f"{count} ({', '.join(workers)})" if workers else count
    return (
        f"{view.job}  {view.stage}  {view.frames_done}/{view.frames} {view.unit}s  {percent(view)}  "
        f"{rate(view.fps, view.unit)}  ETA {duration_about(view.eta_s, view.eta_error_s)}  {held}"
    )


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of text, each column as wide as its widest cell; nothing is cut, for pipes' sake."""
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(header))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def json_line(body: object) -> str:
    """Return a JSON value on one line, which is what scripts read."""
    return json.dumps(body, ensure_ascii=False) + "\n"
