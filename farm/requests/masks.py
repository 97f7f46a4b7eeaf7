"""Which part of a face is changed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from farm.requests.body import Body

#: Names of `broker.messages`.
MaskKind = Literal["box", "hull", "region", "occlusion"]

Share = Annotated[int, Field(ge=0, le=100)]


class MaskRequest(Body):
    """Which part of a face is changed; of several masks the least counts. By default as the engine does."""

    mask: list[MaskKind] | None = Field(default=None, min_length=1)
    """`box`, `hull` (the face's outline), `region` (what is face), `occlusion` (what nothing covers)."""
    mask_blur: float | None = Field(default=None, ge=0, le=1)
    """The box's soft rim, as a share of the crop's side; by default 0.3."""
    mask_padding: tuple[Share, Share, Share, Share] | None = None
    """How far the box is kept away from the crop's top, right, bottom and left, in hundredths of its side."""
    show_mask: bool = False
    """Draw the mask into the picture, and change no face."""
