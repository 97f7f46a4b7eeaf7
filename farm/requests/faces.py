"""Which faces of a video are changed, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from farm.requests.body import Body


class FaceRequest(Body):
    """Which faces, and how."""

    engine: str = "portrait"
    """How faces are changed: `portrait`, or `passthrough` for none."""
    source_face: int | None = Field(default=None, ge=0)
    """Which face of the portrait, counted from the left from 0; by default the largest."""
    faces: Literal["all", "largest"] = "all"
    """Which faces of a frame are changed."""
    require_face: bool = False
    """Fail, rather than warn, when no frame has a face."""
