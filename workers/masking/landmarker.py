"""Many landmarks of a face, as InsightFace's packs find them: 106 in the plane, or 68 with their depths.

The contract is that of the insightface package's `model_zoo.landmark`, which also reads from a file how its
input is to be scaled: a square of 192 pixels, half as large again as the face's box, about its middle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.errors import ModelUnusable
from workers.face.outline import SIZES
from workers.models.extra import extra_module
from workers.models.onnx_session import OnnxNetwork

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
Picture = NDArray[np.uint8]  # (H, W, 3), RGB

#: Returns a part of a picture, from x0, y0 to x1, y1, cut to what there is, and where its corner lies.
Reader = Callable[[tuple[int, int, int, int]], tuple[Picture, tuple[int, int]]]

SIDE_PX = 192
_SPAN = 1.5  # of the box's longer side: what the square shows
_CHANNELS = 3


class Landmarker:
    """Finds a face's landmarks, of several faces in one pass where the network takes several."""

    def __init__(self, network: OnnxNetwork) -> None:
        """Take a network of one picture (N, 3, 192, 192) that gives 106 or 68 landmarks.

        Raises:
            ModelUnusable: it has other inputs or outputs.
            PackageMissing: insightface is not installed.
        """
        shapes, given = list(network.inputs.values()), list(network.outputs.values())
        if len(shapes) != 1 or len(given) != 1 or shapes[0][1:] != (_CHANNELS, SIDE_PX, SIDE_PX):
            raise ModelUnusable(f"{network.name} finds no landmarks: it takes {shapes} and gives {given}")
        self.network = network
        self._session, self._input = network.session, next(iter(network.inputs))
        told = _told(network)
        self.num_points, self._dims = int(told.lmk_num), int(told.lmk_dim)
        if self.num_points not in SIZES:
            raise ModelUnusable(f"{network.name} gives {given[0]}, which is not {SIZES} landmarks")
        self._mean, self._scale = np.float32(told.input_mean), np.float32(1.0 / told.input_std)
        self._takes_many = shapes[0][0] is None and self._tried()

    def find(self, read: Reader, boxes: Sequence[Box]) -> list[NDArray[np.float32]]:
        """Return the landmarks (K, 2) or (K, 3) of the faces in these boxes, in the picture's pixels.

        The third number is the depth, in pixels. What lies outside of the picture is black.
        """
        if not boxes:
            return []
        views = [_view(box) for box in boxes]
        blob = np.stack([self._blob(read, *view) for view in views])
        shares = (
            self._run(blob) if self._takes_many else np.concatenate([self._run(one[None]) for one in blob])
        )
        return [_placed(one, *view) for one, view in zip(shares, views, strict=True)]

    def _blob(self, read: Reader, centre: tuple[float, float], scale: float) -> NDArray[np.float32]:
        (x, y), middle = centre, SIDE_PX / 2
        reach = middle / scale + 1  # a pixel more: samples lie between pixels
        x0, y0 = math.floor(x - reach), math.floor(y - reach)
        part, (left, top) = read((x0, y0, math.ceil(x + reach) + 1, math.ceil(y + reach) + 1))
        matrix = np.array([[scale, 0, middle - scale * (x - left)], [0, scale, middle - scale * (y - top)]])
        # Sampled as the package does: a face larger than the square is not averaged.
        crop = np.zeros((SIDE_PX, SIDE_PX, _CHANNELS), np.uint8)
        if part.size:
            crop = np.asarray(cv2.warpAffine(part, matrix, (SIDE_PX, SIDE_PX), borderValue=0.0), np.uint8)
        return ((crop.astype(np.float32) - self._mean) * self._scale).transpose(2, 0, 1)

    def _run(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, K, dims): places as shares of the half square, from its corner; depths likewise."""
        # Not by `OnnxNetwork.run`: published files say that they give one face, however many they are given.
        (found,) = self._session.run(list(self.network.outputs), {self._input: blob})
        points = np.asarray(found, np.float32).reshape(len(found), -1, self._dims)[:, -self.num_points :]
        # The package's two steps, in single precision as there.
        points[..., :2] += 1
        return np.asarray(points * np.float32(SIDE_PX // 2), np.float32)

    def _tried(self) -> bool:
        """Say whether two go through together; graphs that say so may still have a 1 within."""
        pair = np.zeros((2, _CHANNELS, SIDE_PX, SIDE_PX), np.float32)
        try:
            return len(self._run(pair)) == len(pair)
        except Exception:  # noqa: BLE001 - onnxruntime's errors have no common root but this
            return False


def _view(box: Box) -> tuple[tuple[float, float], float]:
    """Return the middle of a face's box, and by how much it is enlarged to fill its square."""
    x0, y0, x1, y1 = box
    longer = max(x1 - x0, y1 - y0, 1.0)
    return ((x0 + x1) / 2, (y0 + y1) / 2), SIDE_PX / (longer * _SPAN)


def _placed(points: NDArray[np.float32], centre: tuple[float, float], scale: float) -> NDArray[np.float32]:
    """Return landmarks of a square as they lie in the picture."""
    placed = points.astype(np.float64) / scale
    placed[:, :2] += np.asarray(centre) - SIDE_PX / 2 / scale
    return placed.astype(np.float32)


def _told(network: OnnxNetwork) -> Any:
    """Return what the package reads of a file: the number of landmarks, and how its input is scaled."""
    module = extra_module("insightface.model_zoo.landmark")
    return module.Landmark(model_file=str(network.path), session=network.session)
