"""Clips of two people, made of the two public-domain portraits that come with the farm."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

ASSETS = Path(__file__).parents[1] / "farm" / "assets"
COLLINS, HOPPER = ASSETS / "eileen_collins.jpg", ASSETS / "grace_hopper.jpg"
SIZE = (480, 270)

#: Where a figure's middle is in frame t, in pixels.
Path2d = Callable[[int], tuple[float, float]]


def apart(num_frames: int) -> tuple[Path2d, Path2d]:
    """Collins on the left and Hopper on the right, each swaying."""
    del num_frames
    return (
        lambda t: (130 + 12 * np.sin(t / 6), 140 + 5 * np.cos(t / 5)),
        lambda t: (350 + 10 * np.sin(t / 7 + 1), 135 + 6 * np.cos(t / 4)),
    )


def crossing(num_frames: int) -> tuple[Path2d, Path2d]:
    """Collins walks to the right and Hopper to the left; Collins passes before Hopper."""
    return (
        lambda t: (90 + 300 * t / num_frames, 150.0),
        lambda t: (390 - 300 * t / num_frames, 125.0),
    )


def two_people(
    path: Path, num_frames: int, paths: tuple[Path2d, Path2d], *, gop: int = 12, rate: int = 24
) -> Path:
    """Write a clip of Collins, in front, and Hopper, each on its path; lossless: pixels can be asked."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate)
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.gop_size = "yuv420p", gop
        stream.options = {"preset": "veryfast", "qp": "0", "x264-params": "scenecut=0"}
        stream.codec_context.thread_count = 1
        for t in range(num_frames):
            picture = av.VideoFrame.from_ndarray(two_people_at(t, paths), format="rgb24")
            picture.pts, picture.time_base = t, Fraction(1, rate)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


def two_people_at(t: int, paths: tuple[Path2d, Path2d]) -> NDArray[np.uint8]:
    """Return frame `t`, RGB."""
    width, height = SIZE
    ramp = np.linspace(70, 130, width, dtype=np.float32)
    ground = np.broadcast_to(ramp[None, :, None], (height, width, 3))
    for portrait, place in ((HOPPER, paths[1]), (COLLINS, paths[0])):
        ground = _put(ground, portrait, place(t))
    return np.asarray(np.clip(ground, 0, 255), np.uint8)


def _put(ground: NDArray[np.float32], portrait: Path, middle: tuple[float, float]) -> NDArray[np.float32]:
    figure, (fx, fy, face_px) = _figure(portrait)
    scale = 64 / face_px
    matrix = np.array([[scale, 0, middle[0] - scale * fx], [0, scale, middle[1] - scale * fy]], np.float32)
    size = (ground.shape[1], ground.shape[0])
    laid = cv2.warpAffine(figure, matrix, size, flags=cv2.INTER_AREA)
    ys, xs = np.mgrid[: size[1], : size[0]]
    far = np.hypot((xs - middle[0]) / 52, (ys - middle[1]) / 66)
    alpha = np.clip((1.0 - far) / 0.12, 0, 1)[..., None]
    return np.asarray(ground * (1 - alpha) + laid * alpha, np.float32)


def _figure(portrait: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """Return a portrait, RGB, and its face's middle and height, known: no detector need be asked."""
    picture = cv2.imread(str(portrait))[..., ::-1].astype(np.float32)
    return picture, {COLLINS: (224.0, 116.0, 127.0), HOPPER: (266.0, 220.0, 263.0)}[portrait]


#: Eyes, nose and mouth corners of the portraits, in their own pixels.
MARKS = {
    COLLINS: np.array([[204, 101], [246, 103], [224, 128], [202, 139], [244, 141]], np.float32),
    HOPPER: np.array([[220, 192], [307, 187], [269, 237], [231, 277], [306, 273]], np.float32),
}


def who_is_at(picture: NDArray[np.uint8], middle: tuple[float, float], wearer: Path) -> Path:
    """Return whose features the face of the figure `wearer` shows, at its place: the portrait more like it.

    Each portrait is laid over the figure's face by OpenCV, eye on eye. Compared is the structure of eyes,
    nose and mouth: luma less its slow changes. A fused face scored 0.85 and more against its own source, and
    0.72 and less against the other.
    """
    (fx, fy, face_px), (xs, ys) = _figure(wearer)[1], np.meshgrid(*map(np.arange, SIZE))
    at = (MARKS[wearer] - (fx, fy)) * (64 / face_px) + np.asarray(middle)
    inside = np.hypot((xs - at[:, 0].mean()) / 17, (ys - at[:, 1].mean()) / 20) < 1
    found = _features(np.asarray(picture, np.float32))[inside]

    def likeness(portrait: Path) -> float:
        matrix, _ = cv2.estimateAffinePartial2D(MARKS[portrait], at.astype(np.float32), method=cv2.LMEDS)
        laid = cv2.warpAffine(_figure(portrait)[0], matrix.astype(np.float32), SIZE, flags=cv2.INTER_AREA)
        return float(np.corrcoef(found, _features(laid)[inside])[0, 1])

    return max((COLLINS, HOPPER), key=likeness)


def _features(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    luma = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), 1.0) - cv2.GaussianBlur(luma, (0, 0), 6.0), np.float32)
