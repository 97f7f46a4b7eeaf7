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
        help="portrait; an installed swap network (`farm models list`); or passthrough: no change, for "
        "checking the farm itself.",
        rich_help_panel=_PANEL,
    ),
]
PixelBoost = Annotated[
    int,
    typer.Option(
        "--pixel-boost",
        min=1,
        max=8,
        metavar="N",
        help="Swap networks: crops N times as large a side, for N x N times the work.",
        rich_help_panel=_PANEL,
    ),
]
Analyser = Annotated[
    str,
    typer.Option(
        "--analyser",
        metavar="NAME",
        help="What finds the faces: mtcnn, or an installed pack or SCRFD detector.",
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
    pixel_boost: PixelBoost = 1
    analyser: Analyser = "mtcnn"
    faces: Faces = "all"
    source_face: SourceFace = None
    require_face: RequireFace = False
