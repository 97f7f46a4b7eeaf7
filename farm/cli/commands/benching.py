"""The command that measures: bench."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli import options as given


def bench(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Which: exactness, efficiency, uhd …", show_default=False)
    ],
    *,
    json: given.Json = False,
) -> int:
    """Run one of the benchmarks. They come with the source code, not with an installation.

    farm bench startup --json
    """
    from farm.cli.benching import run_bench

    return run_bench(name, as_json=json)
