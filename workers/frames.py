"""Values that hold pictures and faces. Frames keep the pixel format that they were decoded in."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Somebody whose face is to be changed, in one frame."""

    box: tuple[float, float, float, float]  # x0, y0, x1, y1 in the frame's pixels
    source: int  # the number of the source that the face gets


@dataclass(slots=True, kw_only=True)
class Frame:
    """One picture of a video, or a picture file.

    `picture` may still be in use by the decoder: whoever changes pixels puts them into a copy.
    """

    picture: av.VideoFrame  # upright, in the input's own pixel format
    index: int  # absolute in the job; negative never occurs
    pts: int  # the frame's index, again: real times may repeat
    is_context: bool = False  # looked at, never put out
    begins_shot: bool = False  # known to have nothing to do with any frame before it: a picture of its own
    num_faces: int = 0  # faces fused into it
    faces: tuple[NDArray[np.float32], ...] = ()  # and where: landmarks (5, 2) of each, as a `Face` has them
    #: And how far they reach: the outline (N, 2) of each, convex; None, or empty, where a network told none.
    outlines: tuple[NDArray[np.float32] | None, ...] = ()
    cast: tuple[Cast, ...] | None = None  # whose faces are to be changed; None: the job does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face found in a picture."""

    box: tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
    landmarks: NDArray[np.float32]  # (5, 2) x, y in pixels: eyes, nose, mouth corners; image-left first
    score: float  # 0..1
