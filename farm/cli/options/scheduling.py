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
ChunkPictures = Annotated[
    int | None,
    typer.Option(
        "--chunk-pictures",
        min=1,
        max=1000,
        metavar="N",
        help="Pictures of a folder in a chunk, at most. [default: 8, or fewer, for all workers to have some]",
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
    chunk_pictures: ChunkPictures = None
    priority: Priority = 0
