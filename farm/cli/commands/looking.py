"""Commands that look at jobs and files: list, status, watch, probe."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli import options as given


def list_jobs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")] = 20,
    *,
    json: given.Json = False,
) -> int:
    """List the newest jobs, newest first."""
    from farm.cli.looking import show_list

    return show_list(limit, as_json=json)


def status(
    job: Annotated[
        str | None,
        typer.Argument(metavar="[JOB]", help="The job's id; none: the workers.", show_default=False),
    ] = None,
    *,
    json: given.Json = False,
) -> int:
    """Show a job as it is now: the chunks that workers hold, why it is paused, which frames failed.

    Without a job: the workers, what each does, and what it takes of memory.

    farm status 261120-1a2b3c4d --json
    """
    from farm.cli.looking import show_status, show_workers

    return show_workers(as_json=json) if job is None else show_status(job, as_json=json)


def watch(
    job: Annotated[
        str | None,
        typer.Argument(metavar="[JOB]", help="The job's id. [default: the newest]", show_default=False),
    ] = None,
    *,
    json: given.Json = False,
) -> int:
    """Follow a job until it ends. Ctrl-C stops watching; the job goes on."""
    from farm.cli.looking import watch_job

    return watch_job(job, as_json=json)


def probe(input: given.Input, *, json: given.Json = False) -> int:  # noqa: A002 - the name that the user sees
    """Show what a video's header says. Needs no farm.

    farm probe holiday.mp4
    """
    from farm.cli.probing import show_probe

    return show_probe(input, as_json=json)


def presets(*, json: given.Json = False) -> int:
    """List the named kinds of output that --to takes. Needs no farm.

    farm render film.mov -s face.jpg --to master.mp4:hevc-10bit --to proxy.mp4:h264-1080p --to poster.jpg
    """
    from farm.cli.presets import show_presets

    return show_presets(as_json=json)
