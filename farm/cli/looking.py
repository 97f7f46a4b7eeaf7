"""What `farm list`, `status` and `watch` do."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing

from broker.clock import SystemClock
from farm.cli.config import CliConfig
from farm.cli.connection import connect
from farm.cli.display import open_display
from farm.cli.exits import DONE
from farm.cli.following import stay
from farm.cli.outcome import conclude, to_json
from farm.cli.wording import columns, duration, duration_about, json_line, percent, rate, size
from farm.client import FarmClient
from farm.errors import JobNotFound
from farm.schemas import JobView, WorkerView
from farm.states import LIVE_JOB_STATES


def show_list(limit: int, *, as_json: bool) -> int:
    """Print the newest jobs."""
    with connect(CliConfig.from_environment()) as client:
        views = client.jobs(limit)
    if as_json:
        sys.stdout.write(json_line({"jobs": [to_json(view) for view in views]}))
    elif views:
        header = ("JOB", "STATE", "PRIO", "DONE", "FRAMES", "RATE", "AGE", "OUTPUT")
        sys.stdout.write(columns(header, (_row(view) for view in views)) + "\n")
    else:
        sys.stderr.write("no jobs yet: `farm submit` makes one\n")
    return DONE


def show_status(job_id: str, *, as_json: bool) -> int:
    """Print a job as it is now."""
    with connect(CliConfig.from_environment()) as client:
        view = client.job(job_id)
    if as_json:
        sys.stdout.write(json_line(to_json(view)))
    else:
        sys.stdout.write("\n".join(_lines(view)) + "\n")
    return DONE


def show_workers(*, as_json: bool) -> int:
    """Print the workers that live."""
    with connect(CliConfig.from_environment()) as client:
        views = client.workers()
    if as_json:
        sys.stdout.write(json_line({"workers": [view.model_dump(mode="json") for view in views]}))
    elif views:
        header = ("WORKER", "STATE", "DEVICE", "JOB", "RATE", "MEMORY", "PEAK", "BUDGET", "FROM HOST")
        sys.stdout.write(columns(header, map(_worker_row, views)) + "\n")
    else:
        sys.stderr.write("no worker lives: `farm worker` starts one\n")
    return DONE


def watch_job(job_id: str | None, *, as_json: bool) -> int:
    """Follow a job until it ends; return the exit code of the job."""
    clock = SystemClock()
    with connect(CliConfig.from_environment()) as client:
        view = _newest(client) if job_id is None else client.job(job_id)
        with closing(open_display(clock)) as display:
            view = stay(client, view, display, clock)
    return conclude(view, as_json=as_json)


def _newest(client: FarmClient) -> JobView:
    views = client.jobs()
    if not views:
        raise JobNotFound("there are no jobs yet", hint="`farm submit` makes one")
    return next((view for view in views if view.state in LIVE_JOB_STATES), views[0])


def _row(view: JobView) -> tuple[str, ...]:
    age_s = max(0.0, time.time() - view.created_at)  # below 0: the clock was set back
    done, frames = percent(view), str(view.frames or "-")
    return (
        view.job,
        f"{view.state} ({len(view.blocked)} blocked)" if view.blocked else view.state,
        str(view.priority),
        done,
        frames,
        rate(view.fps, view.unit),
        duration(age_s),
        view.output,
    )


def _worker_row(view: WorkerView) -> tuple[str, ...]:
    moved = f"{view.memory_moves}x, {size(view.memory_moved_bytes)}" if view.memory_moves else "-"
    return (
        view.worker,
        view.state,
        view.device,
        view.job or "-",
        rate(view.fps or None),
        size(view.memory_bytes),
        size(view.memory_peak_bytes),
        size(view.memory_limit_bytes) if view.memory_limit_bytes else "-",
        moved,
    )


def _lines(view: JobView) -> Iterator[str]:
    stage = f" ({view.stage})" if view.stage not in {"", view.state} else ""
    yield f"job       {view.job}"
    yield f"state     {view.state}{stage}"
    yield f"input     {view.input}"
    for output in view.outputs:
        yield f"output    {output.path}  ({output.encoder}, {output.pix_fmt})"
    yield f"engine    {view.engine}"
    yield f"{view.unit + 's':10}{view.frames_done} of {view.frames or '?'} done, {view.frames_fused} fused"
    failed = f", {view.chunks_failed} failed" if view.chunks_failed else ""
    yield f"chunks    {view.chunks_done} of {view.chunks or '?'} done{failed}, {view.attempts} attempts"
    yield f"priority  {view.priority}"
    eta = duration_about(view.eta_s, view.eta_error_s)
    yield f"time      {duration(view.seconds)}, {rate(view.fps, view.unit)}, ETA {eta}"
    for chunk in view.running:
        done = f"{chunk.num_frames} of {chunk.end - chunk.start} {view.unit}s"
        where = f"on {chunk.worker}, attempt {chunk.attempt}, {chunk.stage}"
        yield f"running   chunk {chunk.index}: {done} {where}"
    yield from _troubles(view)
    for note in view.notes:
        yield f"note      {note}"
    if view.error is not None:
        yield f"error     {view.error.message} [{view.error.code}]"
        yield f"hint      {view.error.hint}"


def _troubles(view: JobView) -> Iterator[str]:
    if view.pause is not None:
        yield f"paused    {view.pause.reason or 'asked for'}; `farm resume {view.job}` goes on"
    for block in view.blocked:
        yield f"blocked   {block.worker}: {block.reason}; `farm unblock {view.job} {block.worker}` ends that"
    for chunk in view.failed:
        frames = f"{view.unit}s [{chunk.start}, {chunk.end}) after {chunk.attempts} attempts"
        yield f"failed    chunk {chunk.index}: {frames}: {chunk.error}"
    hidden = view.chunks_failed - len(view.failed)
    if hidden > 0:
        yield f"failed    and {hidden} more chunks"
    if view.can_retry:
        yield f"retry     `farm retry {view.job}` goes on from the {view.chunks_done} finished chunks"
