"""The commands, put together."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from farm.cli.commands import benching, hosting, jobs, looking, models, steering
from farm.cli.exits import BAD_USAGE
from farm.cli.help import SectionedCommand, SectionedGroup

app = typer.Typer(
    cls=SectionedGroup,
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


#: The commands as `farm --help` lists them.
COMMANDS: dict[str, dict[str, Callable[..., int]]] = {
    "Jobs": {
        "render": jobs.render,
        "preview": jobs.preview,
        "faces": jobs.faces,
        "submit": jobs.submit,
        "list": looking.list_jobs,
        "status": looking.status,
        "watch": looking.watch,
        "probe": looking.probe,
        "presets": looking.presets,
    },
    "Steering": {
        "pause": steering.pause,
        "resume": steering.resume,
        "cancel": steering.cancel,
        "retry": steering.retry,
        "unblock": steering.unblock,
        "priority": steering.priority,
        "delete": steering.delete,
    },
    "Farms": {
        "up": hosting.up,
        "down": hosting.down,
        "worker": hosting.worker,
        "demo": hosting.demo,
        "bench": benching.bench,
    },
}
for _panel, _commands in COMMANDS.items():
    for _name, _command in _commands.items():
        app.command(_name, cls=SectionedCommand, rich_help_panel=_panel)(_command)
app.add_typer(models.app, name="models", rich_help_panel="Farms")
