"""The options that say what is done to frames after their faces were changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "What is done afterwards"

Restore = Annotated[
    str | None,
    typer.Option(
        "--restore",
        metavar="NAME",
        help="Give the fused faces their detail back, by an installed network: gfpgan_1.4, codeformer.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
RestoreWeight = Annotated[
    float | None,
    typer.Option(
        "--restore-weight",
        min=0,
        max=1,
        metavar="0-1",
        help="How much of what is restored is taken. [default: 0.8]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
RestoreFidelity = Annotated[
    float | None,
    typer.Option(
        "--restore-fidelity",
        min=0,
        max=1,
        metavar="0-1",
        help="CodeFormer: how closely it keeps to the face that it sees. [default: 0.5]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Upscale = Annotated[
    str | None,
    typer.Option(
        "--upscale",
        metavar="NAME",
        help="Enlarge whole frames by an installed network: real_esrgan_x2, real_esrgan_x4.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """What is done to frames after their faces were changed."""

    restore: Restore = None
    restore_weight: RestoreWeight = None
    restore_fidelity: RestoreFidelity = None
    upscale: Upscale = None
