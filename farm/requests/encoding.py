"""How a job's output is encoded."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from farm.requests.body import Body

#: x264's presets, fastest first (x264_preset_names in its x264.h).
X264Preset = Literal[
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
]


class EncodingRequest(Body):
    """How the output is encoded."""

    lossless: bool = False
    """FFV1 instead of H.264: for checking, frame for frame."""
    crf: int = Field(default=18, ge=0, le=51)
    """H.264 constant quality; lower is better and larger."""
    encoder_preset: X264Preset = "medium"
    """x264's speed; slower makes smaller files."""
