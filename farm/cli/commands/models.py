"""Commands for the models that faces are changed with: models list, add, pull, verify, remove."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options as given

app = typer.Typer(
    no_args_is_help=True,
    help="""The models of this machine: known ones, your own, and what they may be used for.

The farm brings a model of its own (--engine portrait). Others are their publishers': they lie in FARM_MODELS,
which all farms and workers of this machine share, and each swap network is an engine by its name:

    farm models pull buffalo_l --accept-licence

    farm models add ~/Downloads/inswapper_128.onnx

    farm render holiday.mp4 --source face.jpg --engine inswapper_128 -o fused.mp4
""",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in `farm models list`.", show_default=False)]


@app.command("list")
def list_models(*, json: given.Json = False) -> int:
    """List installed and known models, with their licences."""
    from farm.cli.modelling import show_models

    return show_models(as_json=json)


@app.command("add")
def add(
    path: Annotated[Path, typer.Argument(help="A file, a directory or a zip archive.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option("--name", help="What to call it. [default: as the file]", show_default=False),
    ] = None,
    contract: Annotated[
        str | None,
        typer.Option("--contract", help="How a model that is not known is used: inswapper, simswap ..."),
    ] = None,
    licence: Annotated[str, typer.Option("--licence", help="The terms of a model that is not known.")] = "",
    *,
    json: given.Json = False,
) -> int:
    """Install your own copy of a model. Needs no network.

    A file that goes by a known model's name must be that model, as far as its digest is known.
    """
    from farm.cli.modelling import add_model

    return add_model(path, name=name, contract=contract, licence=licence, as_json=json)


@app.command("pull")
def pull(
    name: Name,
    *,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You may use it on its publisher's terms.")
    ] = False,
    json: given.Json = False,
) -> int:
    """Download a known model from its own publisher; a broken download goes on where it broke off."""
    from farm.cli.modelling import pull_model

    return pull_model(name, accepts_licence=accept_licence, as_json=json)


@app.command("verify")
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="[default: all]", show_default=False)
    ] = None,
    *,
    json: given.Json = False,
) -> int:
    """Read all files of the installed models, and say which are not what was installed."""
    from farm.cli.modelling import verify_models

    return verify_models(name, as_json=json)


@app.command("remove")
def remove(name: Name, *, json: given.Json = False) -> int:
    """Delete an installed model."""
    from farm.cli.modelling import remove_model

    return remove_model(name, as_json=json)
