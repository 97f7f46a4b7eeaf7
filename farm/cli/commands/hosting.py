"""Commands that run farms and workers: up, down, worker, demo."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options as given


def up(
    *,
    workers: given.Workers = None,
    gpus: given.Gpus = "all",
    window_bytes: given.WindowBytes = None,
    warm: Annotated[
        str, typer.Option("--warm", help="Engines made ready at start, comma-separated.")
    ] = "portrait",
    no_flower: Annotated[bool, typer.Option("--no-flower", help="Do not start Flower.")] = False,
) -> int:
    """Run a farm in the foreground: Redis, workers, API and Flower. Ctrl-C or `farm down` stops it.

    Its files lie in FARM_HOME. FARM_REDIS_URL and FARM_DATABASE_URL put real servers in place of the
    private Redis and of SQLite; FARM_API_PORT and FARM_FLOWER_PORT choose the ports.
    """
    from farm.cli.hosting import run_farm

    return run_farm(
        workers=workers, gpus=gpus, window_bytes=window_bytes, warm=warm, has_flower=not no_flower
    )


def down() -> int:
    """Stop the farm that is up in FARM_HOME, and wait until it has ended."""
    from farm.cli.hosting import stop_farm

    return stop_farm()


def worker(
    *,
    gpus: given.Gpus = "all",
    name: Annotated[
        str, typer.Option("--name", help="Shown on every chunk. [default: host and a suffix]")
    ] = "",
    warm: Annotated[
        str, typer.Option("--warm", help="Engines made ready at start, comma-separated.")
    ] = "portrait",
    gpu_memory_limit: given.GpuMemoryLimit = None,
    profile: given.Profile = None,
    settings: given.Settings = None,
) -> int:
    """Join a running farm with this machine's GPUs, one process each, or with its CPU.

    FARM_REDIS_URL=redis://:PASSWORD@farm.example:6379/0 farm worker --gpus all
    """
    from farm.cli.hosting import run_worker

    engine = {"--gpu-memory-limit": gpu_memory_limit, "--profile": profile, "--settings": settings}
    return run_worker(gpus=gpus, name=name, warm=warm, engine=engine)


def demo(
    input: Annotated[  # noqa: A002 - the name that the user sees
        Path | None, typer.Option("--input", help="A video. [default: one that is made]", show_default=False)
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source", "-s", metavar="FACE", help="A portrait. [default: one that comes with the farm]"
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")
    ] = Path("demo-out"),
    *,
    json: given.Json = False,
) -> int:
    """Render a short video, to see that everything works, and a picture of input and output side by side."""
    from farm.cli.demonstrating import run_demo

    return run_demo(input, source, output, as_json=json)
