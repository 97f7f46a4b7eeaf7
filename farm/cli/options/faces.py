"""The options that say which faces are changed, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

_PANEL = "Which faces, and how"

Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        help="portrait, or passthrough: no change, for checking the farm itself.",
        rich_help_panel=_PANEL,
    ),
]
Faces = Annotated[
    Literal["all", "largest"],
    typer.Option("--faces", help="The faces of each frame that are changed.", rich_help_panel=_PANEL),
]
SourceFace = Annotated[
    int | None,
    typer.Option(
        "--source-face",
        min=0,
        metavar="N",
        help="The portrait's Nth face from the left, from 0. [default: the largest]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
RequireFace = Annotated[
    bool,
    typer.Option("--require-face", help="Fail if no frame has a face.", rich_help_panel=_PANEL),
]


@dataclass(frozen=True, kw_only=True)
class FaceOptions:
    """Which faces, and how."""

    engine: Engine = "portrait"
    faces: Faces = "all"
    source_face: SourceFace = None
    require_face: RequireFace = False
