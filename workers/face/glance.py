"""What is kept of one frame while its neighbours are worked on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np

from workers.face.cuts import Sketch
from workers.face.flow import Gray
from workers.face.pyramid import Pyramid
from workers.frames import Face


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
    sketch: Sketch
    seen: tuple[Face, ...]  # what the detector found
    is_cut: bool | None = None  # whether a new shot begins with this frame; filled when first asked for
    held: tuple[Face, ...] | None = None  # filled when first asked for
    chains: dict[tuple[int, int], Chain] = field(default_factory=dict)  # by number in `seen` and direction

    @classmethod
    def of(cls, picture: Pyramid, seen: tuple[Face, ...]) -> Self:
        """Return the glance of a frame, RGB (uint8), in which the detector found `seen`."""
        gray = np.asarray(cv2.cvtColor(picture.picture, cv2.COLOR_RGB2GRAY), np.uint8)
        return cls(picture=picture, gray=gray, sketch=Sketch.of(picture.picture), seen=seen)
