"""What `farm list`, `status`, `watch` and `cancel` do."""

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
from farm.cli.following import follow
from farm.cli.outcome import conclude, to_json
from farm.cli.wording import columns, duration, json_line, percent, rate
from farm.client import FarmClient
from farm.errors import JobNotFound
from farm.schemas import JobView
from farm.states import LIVE_JOB_STATES


def show_list(limit: int, *, as_json: bool) -> int:
    """Print the newest jobs."""
    with connect(CliConfig.from_environment()) as client:
        views = client.jobs(limit)
    if as_json:
        sys.stdout.write(json_line({"jobs": [to_json(view) for view in views]}))
    elif views:
        header = ("JOB", "STATE", "DONE", "FRAMES", "RATE", "AGE", "OUTPUT")
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


def watch_job(job_id: str | None, *, as_json: bool) -> int:
    """Follow a job until it ends; return the exit code of the job."""
    clock = SystemClock()
    with connect(CliConfig.from_environment()) as client:
        view = _newest(client) if job_id is None else client.job(job_id)
        with closing(open_display(clock)) as display:
            view = follow(client, view, display, clock)
    return conclude(view, as_json=as_json)


def cancel_job(job_id: str, *, as_json: bool) -> int:
    """Stop a job."""
    with connect(CliConfig.from_environment()) as client:
        view = client.cancel(job_id)
    sys.stdout.write(json_line(to_json(view)) if as_json else f"job {view.job} is {view.state}\n")
    return DONE


def _newest(client: FarmClient) -> JobView:
    views = client.jobs()
    if not views:
        raise JobNotFound("there are no jobs yet", hint="`farm submit` makes one")
    return next((view for view in views if view.state in LIVE_JOB_STATES), views[0])


def _row(view: JobView) -> tuple[str, ...]:
    age_s = time.time() - view.created_at
    done, frames = percent(view), str(view.frames or "-")
    return view.job, view.state, done, frames, rate(view.fps), duration(age_s), view.output


def _lines(view: JobView) -> Iterator[str]:
    stage = f" ({view.stage})" if view.stage not in {"", view.state} else ""
    yield f"job       {view.job}"
    yield f"state     {view.state}{stage}"
    yield f"input     {view.input}"
    yield f"output    {view.output}"
    yield f"engine    {view.engine}"
    yield f"frames    {view.frames_done} of {view.frames or '?'} done, {view.frames_fused} fused"
    yield f"chunks    {view.chunks_done} of {view.chunks or '?'} done, {view.attempts} attempts"
    yield f"time      {duration(view.seconds)}, {rate(view.fps)}, ETA {duration(view.eta_s)}"
    for chunk in view.running:
        done = f"{chunk.num_frames} of {chunk.end - chunk.start} frames"
        where = f"on {chunk.worker}, attempt {chunk.attempt}, {chunk.stage}"
        yield f"running   chunk {chunk.index}: {done} {where}"
    for note in view.notes:
        yield f"note      {note}"
    if view.error is not None:
        yield f"error     {view.error.message} [{view.error.code}]"
        yield f"hint      {view.error.hint}"
