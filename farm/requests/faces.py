"""Which faces of a video are changed, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from farm.requests.body import Body


class FaceRequest(Body):
    """Which faces, and how."""

    engine: str = "portrait"
    """How faces are changed: `portrait`, `passthrough` for none, or an installed swap network's name."""
    pixel_boost: int = Field(default=1, ge=1, le=8)
    """Swap networks see and give crops this many times as large a side, as interleaved parts."""
    analyser: str = "mtcnn"
    """What finds the faces: the farm's own `mtcnn`, or an installed analyser's name."""
    source_face: int | None = Field(default=None, ge=0)
    """Which face of the portrait, counted from the left from 0; by default the largest."""
    faces: Literal["all", "largest"] = "all"
    """Which faces of a frame are changed."""
    require_face: bool = False
    """Fail, rather than warn, when no frame has a face."""
