"""How faces are fused: how much, how smooth, in which way. A preset sets several of these at once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from farm.requests.body import Body

#: Names of rows in `farm.fusing.PRESETS`.
FusionPreset = Literal["quick", "delivery", "art"]

#: The longer side of what comes out, in pixels.
Resolution = Literal["original", "512", "1024", "2048", "4096"]

FusionMode = Literal["normal", "blend", "overlay"]


class FusionRequest(Body):
    """How faces are fused; what is not said comes from `preset`, or else is as `farm.fusing` has it."""

    preset: FusionPreset | None = None
    """A set of values for the fields below; what is given beside it counts more."""
    ratio: float | None = Field(default=None, ge=0, le=1)
    """How much of the source is fused in: 1 all of it, 0 leaves the frames as they are, bit for bit."""
    skin_smoothing: float | None = Field(default=None, ge=0, le=1)
    """How much the fused skin is smoothed; eyes, brows and lips keep their detail."""
    resolution: Resolution | None = None
    """The longer side of what comes out, in pixels, at most: what is larger is made smaller before faces are
    sought in it; nothing is enlarged. By default `original`."""
    brightness: float | None = Field(default=None, ge=-1, le=1)
    """Light added to the fused face, as a share of the whole range."""
    mode: FusionMode | None = None
    """`normal`: the fusion network; `blend`: gradients (Poisson); `overlay`: bands of detail."""
    detection_threshold: float | None = Field(default=None, ge=0, le=1)
    """How sure the detector must be of a face; by default 0.8. Under 0.4 no more is found."""
    smallest_face: float | None = Field(default=None, ge=0.01, le=1)
    """The smallest face sought, as a share of the frame's shorter side; by default 0.05."""
