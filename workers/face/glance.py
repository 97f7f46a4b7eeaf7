"""What is kept of one frame while its neighbours are worked on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.flow import Gray
from workers.face.pyramid import Pyramid
from workers.frames import Face

_THUMB_PX = (32, 18)  # width, height: enough to see a cut, too little to see motion
_CUT = 28.0  # mean difference of two thumbnails, of 255: people talk under 10, new shots mostly start over 35


@dataclass(slots=True, kw_only=True)
class Chain:
    """A face followed away from where it was seen, frame by frame."""

    faces: list[Face] = field(default_factory=list)  # one for each frame that it was followed to
    is_open: bool = True  # False: lost, or seen again


@dataclass(slots=True, kw_only=True)
class Glance:
    """A frame as the tracker knows it."""

    picture: Pyramid  # RGB, uint8
    gray: Gray
    thumb: NDArray[np.uint8]
    seen: tuple[Face, ...]  # what the detector found
    is_cut: bool  # a new shot begins with this frame
    held: tuple[Face, ...] | None = None  # filled when first asked for
    chains: dict[tuple[int, int], Chain] = field(default_factory=dict)  # by number in `seen` and direction

    @classmethod
    def of(cls, picture: Pyramid, seen: tuple[Face, ...], before: Glance | None) -> Self:
        """Return the glance of a frame; `before` is that of the frame before it, if that is known."""
        thumb = np.asarray(cv2.resize(picture.picture, _THUMB_PX, interpolation=cv2.INTER_AREA), np.uint8)
        return cls(
            picture=picture,
            gray=np.asarray(cv2.cvtColor(picture.picture, cv2.COLOR_RGB2GRAY), np.uint8),
            thumb=thumb,
            seen=seen,
            is_cut=before is not None and is_cut(before.thumb, thumb),
        )


def is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Say whether two thumbnails are of different shots."""
    return float(np.abs(before.astype(np.int16) - after).mean()) > _CUT
