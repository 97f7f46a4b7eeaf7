"""The options that name a job's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Files"

Input = Annotated[
    Path,
    typer.Argument(
        help="The video, the picture, or a folder of pictures; folders within it are not entered.",
        show_default=False,
    ),
]
Source = Annotated[
    Path | None,
    typer.Option(
        "--source",
        "-s",
        metavar="FACE",
        help="The portrait whose face is fused in; for swap networks also a directory of several.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="The finished video or picture, or a directory for it; for a folder of pictures another folder. "
        "[default: beside the input, with -fused]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="PATH[:PRESET]",
        help="An output of the same render, as a preset has it: proxy.mp4:h264-1080p, loop.gif, poster.jpg. "
        "May be given again. `farm presets` lists them.",
        show_default=False,
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it is there.", rich_help_panel=_PANEL)
]


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Which files."""

    input: Input
    source: Source = None
    output: Output = None
    to: To = None
    overwrite: Overwrite = False
