"""The commands, put together."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Annotated

import typer

from farm.cli.commands import benching, hosting, jobs, looking, models, steering
from farm.cli.exits import BAD_USAGE

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,  # `main` turns foreseeable errors into one line; others need no paint
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def farm(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int:
    """Fuse a face into video, frame for frame, on all the GPUs there are.

    Start here:

        farm render holiday.mp4 --source face.jpg -o fused.mp4

    Or keep a farm running, and hand it jobs:

        farm up

        farm submit holiday.mp4 --source face.jpg -o fused.mp4

        farm watch

    Exit codes: 0 done, 1 job failed, 2 bad usage or bad input, 3 farm unreachable, 130 interrupted.
    """
    if version:
        sys.stdout.write(importlib.metadata.version("face-fusion-farm") + "\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(BAD_USAGE)
    return 0


_JOBS, _STEERING, _FARMS = "Jobs", "Steering", "Farms"
app.command("render", rich_help_panel=_JOBS)(jobs.render)
app.command("submit", rich_help_panel=_JOBS)(jobs.submit)
app.command("list", rich_help_panel=_JOBS)(looking.list_jobs)
app.command("status", rich_help_panel=_JOBS)(looking.status)
app.command("watch", rich_help_panel=_JOBS)(looking.watch)
app.command("probe", rich_help_panel=_JOBS)(looking.probe)
app.command("pause", rich_help_panel=_STEERING)(steering.pause)
app.command("resume", rich_help_panel=_STEERING)(steering.resume)
app.command("cancel", rich_help_panel=_STEERING)(steering.cancel)
app.command("retry", rich_help_panel=_STEERING)(steering.retry)
app.command("priority", rich_help_panel=_STEERING)(steering.priority)
app.command("delete", rich_help_panel=_STEERING)(steering.delete)
app.command("up", rich_help_panel=_FARMS)(hosting.up)
app.command("down", rich_help_panel=_FARMS)(hosting.down)
app.command("worker", rich_help_panel=_FARMS)(hosting.worker)
app.command("demo", rich_help_panel=_FARMS)(hosting.demo)
app.command("bench", rich_help_panel=_FARMS)(benching.bench)
app.add_typer(models.app, name="models", rich_help_panel=_FARMS)
