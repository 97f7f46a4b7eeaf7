"""What is done to frames after their faces were changed."""

from __future__ import annotations

from pydantic import Field

from farm.requests.body import Body


class StageRequest(Body):
    """What is done to frames after their faces were changed; nothing unless it is asked for."""

    restore: str | None = None
    """An installed network that gives fused faces their detail back: `gfpgan_1.4`, `codeformer`."""
    restore_weight: float | None = Field(default=None, ge=0, le=1)
    """How much of what it restores is taken; by default 0.8."""
    restore_fidelity: float | None = Field(default=None, ge=0, le=1)
    """CodeFormer alone: how closely it keeps to the face that it sees; by default 0.5."""
    upscale: str | None = None
    """An installed network that enlarges whole frames, as often as its contract says: `real_esrgan_x2`."""
