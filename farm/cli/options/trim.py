"""The options that say which part of a video is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "Which part"

Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="MOMENT",
        help="The first frame kept: 120f, 12.5 (seconds), 00:01:30.250, or time code 00:01:30:12. "
        "[default: the beginning]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="MOMENT",
        help="The first frame not kept, written alike; sound is cut to match. [default: the end]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class TrimOptions:
    """Which part of the input."""

    start: Start = None
    end: End = None
