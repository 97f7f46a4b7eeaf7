"""The options that say what a farm runs on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

_PANEL = "What it runs on"

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=256,
        metavar="N",
        help="Worker processes on each GPU, or on the CPU. [default: 1]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Gpus = Annotated[
    str,
    typer.Option(
        "--gpus",
        metavar="WHICH",
        help="all, none, or indexes: 0,1. No GPU: one worker on the CPU.",
        rich_help_panel=_PANEL,
    ),
]
WindowBytes = Annotated[
    int | None,
    typer.Option(
        "--window-bytes",
        min=1 << 20,
        metavar="N",
        help="Bytes of video in Redis at once. [default: 256 MiB]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
GpuMemoryLimit = Annotated[
    float | None,
    typer.Option(
        "--gpu-memory-limit",
        min=0.001,
        metavar="GB",
        help="Device memory that the engine may take. Too little costs speed first; below what it needs it "
        "says how much would do. [default: 90 % of a GPU's free memory; on the CPU no limit]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="auto, entry (6-8 GB), mainstream (10-24 GB) or professional. [default: auto, by the GPU]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Settings = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="farm.yaml with the engine's settings; `python -m workers.engine.settings` prints one.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Private = Annotated[
    bool,
    typer.Option("--private", help="Start a farm for this job, even if one is up.", rich_help_panel=_PANEL),
]


@dataclass(frozen=True, kw_only=True)
class HostingOptions:
    """What kind of farm the user wants for one job."""

    workers: Workers = None
    gpus: Gpus = "all"
    window_bytes: WindowBytes = None
    private: Private = False

    @property
    def wants_own(self) -> bool:
        """Whether a farm that is up would not do."""
        return self.private or self.workers is not None or self.window_bytes is not None or self.gpus != "all"
