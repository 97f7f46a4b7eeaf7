"""The options that say how a job is cut up, and when it has its turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "When it is rendered"

ChunkSeconds = Annotated[
    float | None,
    typer.Option(
        "--chunk-seconds",
        min=0.05,
        max=600,
        help="Length of a chunk. [default: the farm's]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Priority = Annotated[
    int,
    typer.Option(
        "--priority",
        min=-100,
        max=100,
        help="Higher goes first; jobs of one priority share.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class SchedulingOptions:
    """How a job is cut up, and when it has its turn."""

    chunk_seconds: ChunkSeconds = None
    priority: Priority = 0
