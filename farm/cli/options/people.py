"""The options that say who is changed, and into whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Who"

Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="WHOM=FACE",
        help="Give one person a face: a number in the gallery that `farm faces` made (1=a.jpg), a place in a "
        "frame (at:640,360@12.5=a.jpg) or a picture (at:0@b.jpg=a.jpg), or a portrait of them "
        "(ann.jpg=a.jpg). May be given again; everybody else gets --source, or is left alone without one.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="PORTRAIT",
        help="Change only who looks like this portrait. Needs a recogniser: `farm models list`.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
FaceAt = Annotated[
    str | None,
    typer.Option(
        "--face-at",
        metavar="PLACE",
        help="Change only who is there: X,Y in pixels, or N, the Nth face from the left, from 0; behind it "
        "@MOMENT: 640,360@12.5, 1@120f, or a picture's name. [default: the beginning, or each picture]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Similarity = Annotated[
    float,
    typer.Option(
        "--similarity",
        min=0,
        max=1,
        metavar="COSINE",
        help="How alike two faces must be to be one person's.",
        rich_help_panel=_PANEL,
    ),
]
Gallery = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        metavar="DIR",
        help="Take who is in the video from what `farm faces` made, instead of looking again. "
        "[default: INPUT-faces beside the input, or of a picture its folder's, if --map has numbers]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class PeopleOptions:
    """Who."""

    map: Map = None
    reference: Reference = None
    face_at: FaceAt = None
    similarity: Similarity = 0.4
    gallery: Gallery = None
