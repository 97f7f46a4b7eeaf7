"""The options that say how faces are fused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

_PANEL = "How faces are fused"

Preset = Annotated[
    # Those of `farm.requests.FusionPreset`, which would bring pydantic, and slow `--help` down.
    Literal["quick", "delivery", "art"] | None,
    typer.Option(
        "--preset",
        help="quick: ratio 0.5, resolution 512. delivery: ratio 0.65, resolution 1024, skin smoothing 0.4. "
        "art: ratio 0.7, resolution 2048, skin smoothing 0.6, brightness 0.05. Options beside it count more.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Resolution = Annotated[
    Literal["original", "512", "1024", "2048", "4096"] | None,
    typer.Option(
        "--resolution",
        help="The longer side of what comes out, in pixels, at most: what is larger is made smaller before "
        "faces are sought in it; nothing is enlarged. [default: original]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Ratio = Annotated[
    float | None,
    typer.Option(
        "--ratio",
        min=0,
        max=1,
        metavar="0-1",
        help="How much of the source is fused in. [default: 1]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
SkinSmoothing = Annotated[
    float | None,
    typer.Option(
        "--skin-smoothing",
        min=0,
        max=1,
        metavar="0-1",
        help="Smooths the fused skin; eyes, brows and lips keep their detail. [default: 0]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Brightness = Annotated[
    float | None,
    typer.Option(
        "--brightness",
        min=-1,
        max=1,
        metavar="-1-1",
        help="Light added to the fused face. [default: 0]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Mode = Annotated[
    Literal["normal", "blend", "overlay"] | None,
    typer.Option(
        "--mode",
        help="normal: the fusion network. blend: gradients (Poisson). overlay: bands of detail. "
        "[default: normal]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
DetectionThreshold = Annotated[
    float | None,
    typer.Option(
        "--detection-threshold",
        min=0,
        max=1,
        metavar="0-1",
        help="How sure the detector must be; lower finds more faces, and more that are none. [default: 0.8]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
SmallestFace = Annotated[
    float | None,
    typer.Option(
        "--smallest-face",
        min=0.01,
        max=1,
        metavar="0.01-1",
        help="The smallest face sought, of the shorter side; half of it takes four times as long. "
        "[default: 0.05]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class FusionOptions:
    """How faces are fused."""

    preset: Preset = None
    resolution: Resolution = None
    ratio: Ratio = None
    skin_smoothing: SkinSmoothing = None
    brightness: Brightness = None
    mode: Mode = None
    detection_threshold: DetectionThreshold = None
    smallest_face: SmallestFace = None
