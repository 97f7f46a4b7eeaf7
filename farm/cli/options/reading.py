"""The options that say how the input is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "How the input is read"

Salvage = Annotated[
    bool,
    typer.Option(
        "--salvage",
        help="Render what is left of a damaged video, or of a folder with damaged pictures; the notes name "
        "the frames, or files, that were left out.",
        rich_help_panel=_PANEL,
    ),
]
Deinterlace = Annotated[
    bool,
    typer.Option(
        "--deinterlace",
        help="Make whole pictures of interlaced ones, as many a second as before; else they stay interlaced.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How the input is read."""

    salvage: Salvage = False
    deinterlace: Deinterlace = False
