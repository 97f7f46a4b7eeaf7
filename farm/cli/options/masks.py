"""The options that say which part of a face is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "Masks"

Mask = Annotated[
    str | None,
    typer.Option(
        "--mask",
        metavar="KINDS",
        help="Change no more than this of a face: box, hull (its outline; closest with a pack like "
        "buffalo_l installed), region (what a parser calls face), occlusion (what nothing covers), or "
        "several, as box,occlusion. The last two need a model: `farm models list`. "
        "[default: the engine's own]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MaskBlur = Annotated[
    float | None,
    typer.Option(
        "--mask-blur",
        min=0,
        max=1,
        metavar="0-1",
        help="The box's soft rim, as a share of the face's crop. [default: 0.3]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MaskPadding = Annotated[
    str | None,
    typer.Option(
        "--mask-padding",
        metavar="T,R,B,L",
        help="Keep the box away from the crop's top, right, bottom and left: hundredths of its side.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """Which part of a face."""

    mask: Mask = None
    mask_blur: MaskBlur = None
    mask_padding: MaskPadding = None
