"""Faces as an SCRFD network finds them (Guo et al. 2021), run by the insightface package."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.sessions import open_network
from workers.errors import ModelUnusable
from workers.face.align import Points
from workers.face.pyramid import Pyramid
from workers.frames import Face
from workers.models.extra import extra_module
from workers.models.onnx_session import OnnxNetwork

#: Of a picture's longer side: what SCRFD was trained for. The shorter one follows the picture's shape.
LONGEST_SIDE_PX = 640
_STEP_PX = 32  # its coarsest stride: sides are whole multiples

#: Low on purpose, as for MTCNN: who asks for faces decides how sure they must be.
_LEAST_SCORE = 0.4

#: Of the landmarks' spread: the side of the region in which a face that is about known is looked for again.
_REGION = 8.0
_FOUND = 0.5  # of the spread: how far the landmarks may have moved to be the same face's


class ScrfdFinder:
    """Finds faces and their landmarks in RGB pictures, as `workers.face.track.Finder` asks."""

    def __init__(self, path: Path) -> None:
        """Open a detector of five landmarks a face.

        Raises:
            PackageMissing: insightface or onnxruntime is not installed.
            ModelUnusable: it is no SCRFD network with landmarks.
        """
        self.network = open_network(path)
        self._scrfd = _scrfd(self.network)
        if not self._scrfd.use_kps:
            raise ModelUnusable(f"{path.name} is no SCRFD detector with landmarks")
        self._is_fixed = self._scrfd.static_input_size is not None

    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        """Return the faces of an RGB picture (uint8), best score first."""
        return self._detect(np.asarray(picture.picture, np.uint8))

    def look_at(self, picture: Pyramid, landmarks: Points) -> Face:
        """Return the face whose landmarks (5, 2) are about known; its score is 0 where none is there."""
        centre = landmarks.mean(axis=0)
        spread = float(np.linalg.norm(landmarks - centre, axis=1).mean())
        x0, y0 = (max(0, math.floor(v - _REGION / 2 * spread)) for v in centre)
        x1, y1 = (math.ceil(v + _REGION / 2 * spread) for v in centre)
        region = np.asarray(picture.picture[y0:y1, x0:x1], np.uint8)
        corner = np.array([x0, y0], np.float32)
        found = self._detect(np.ascontiguousarray(region)) if min(region.shape[:2]) > 1 else ()
        for face in found:
            if np.linalg.norm(face.landmarks + corner - landmarks, axis=1).mean() <= _FOUND * spread:
                return _moved(face, corner)
        low, high = landmarks.min(axis=0), landmarks.max(axis=0)
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return Face(box=box, landmarks=landmarks, score=0.0)

    def _detect(self, picture: NDArray[np.uint8]) -> tuple[Face, ...]:
        size = None if self._is_fixed else input_size(picture.shape[1], picture.shape[0])
        boxes, marks = self._scrfd.detect(np.ascontiguousarray(picture[..., ::-1]), input_size=size)
        order = np.argsort(-boxes[:, 4], kind="stable")
        return tuple(_face(boxes[i], marks[i]) for i in order)


def input_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height that a picture of this shape is searched at, whole multiples of 32."""
    factor = LONGEST_SIDE_PX / max(width, height)
    return _rounded(width * factor), _rounded(height * factor)


def _rounded(side_px: float) -> int:
    return max(_STEP_PX, math.ceil(round(side_px, 3) / _STEP_PX) * _STEP_PX)


def _face(box: NDArray[np.float32], marks: NDArray[np.float32]) -> Face:
    x0, y0, x1, y1, score = (float(v) for v in box)
    return Face(box=(x0, y0, x1, y1), landmarks=np.asarray(marks, np.float32), score=min(1.0, score))


def _moved(face: Face, corner: NDArray[np.float32]) -> Face:
    x0, y0, x1, y1 = (float(v) for v in np.asarray(face.box, np.float32) + np.tile(corner, 2))
    return Face(box=(x0, y0, x1, y1), landmarks=face.landmarks + corner, score=face.score)


def _scrfd(network: OnnxNetwork) -> Any:
    module = extra_module("insightface.model_zoo.scrfd")
    # One session for all sizes: insightface would open one each, which no budget knows of.
    detector = module.SCRFD(
        model_file=str(network.path), session=network.session, static_shape_sessions=False
    )
    detector.det_thresh = _LEAST_SCORE
    return detector
