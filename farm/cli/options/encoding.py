"""The options that say how the output is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

_PANEL = "How the output is encoded"

Lossless = Annotated[
    bool,
    typer.Option("--lossless", help="FFV1 instead of H.264, into .mkv or .mov.", rich_help_panel=_PANEL),
]
Crf = Annotated[
    int,
    typer.Option("--crf", min=0, max=51, help="H.264 quality: lower is better.", rich_help_panel=_PANEL),
]
EncoderPreset = Annotated[
    # Those of `farm.requests.X264Preset`, which would bring pydantic, and slow `--help` down.
    Literal[
        "ultrafast",
        "superfast",
        "veryfast",
        "faster",
        "fast",
        "medium",
        "slow",
        "slower",
        "veryslow",
        "placebo",
    ],
    typer.Option(
        "--encoder-preset", help="x264's speed; slower makes smaller files.", rich_help_panel=_PANEL
    ),
]


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """How the output is encoded."""

    lossless: Lossless = False
    crf: Crf = 18
    encoder_preset: EncoderPreset = "medium"
