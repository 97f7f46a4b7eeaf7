"""Frames of a head that moves, made by warping public-domain portraits."""

from __future__ import annotations

import math
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from workers.face.pyramid import Pyramid
from workers.frames import Face, Frame
from workers.models.mtcnn_cascade import FaceFinder

# Crops are small: on a busy machine, threads that wait for each other take a hundred times as long.
torch.set_num_threads(1)

ASSETS = Path(__file__).parents[3] / "farm" / "assets"
COLLINS = ASSETS / "eileen_collins.jpg"
HOPPER = ASSETS / "grace_hopper.jpg"
SIDE_PX = 256

Rgb = NDArray[np.uint8]


def picture_of(path: Path) -> Rgb:
    """Return a picture file as RGB (H, W, 3)."""
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def motion(index: int) -> NDArray[np.float32]:
    """Return how frame `index` maps the portrait of Collins to a picture of SIDE_PX."""
    turn = math.radians(8 * math.sin(index / 5))
    scale = 0.95 + 0.08 * math.sin(index / 7)
    a, b = scale * math.cos(turn), scale * math.sin(turn)
    x, y = 128 + 9 * math.sin(index / 3), 122 + 4 * math.cos(index / 4)
    return np.array([[a, -b, x - a * 224 + b * 120], [b, a, y - b * 224 - a * 120]], np.float32)


def moving_picture(index: int, path: Path = COLLINS) -> Rgb:
    """Return frame `index` of the moving head, RGB (SIDE_PX, SIDE_PX, 3)."""
    warped = cv2.warpAffine(
        picture_of(path), motion(index), (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(warped, np.uint8)


def frame_of(picture: Rgb, index: int, pix_fmt: str = "yuv420p") -> Frame:
    """Return a picture as the frame `index` of a video."""
    video_frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
    video_frame.pts = index
    return Frame(picture=video_frame, index=index, pts=index)


def with_mark(picture: Rgb) -> Rgb:
    """Return the picture with a white corner: a `BlinkingFinder` sees nothing in it."""
    marked = picture.copy()
    marked[:8, :8] = 255
    return marked


class BlinkingFinder(FaceFinder):
    """The real finder, blind in marked pictures, as a detector is now and then."""

    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        if picture.picture[:6, :6].min() > 230:
            return ()
        return super().find(picture)
