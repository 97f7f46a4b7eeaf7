"""A face, cut out of its frame at full resolution: for its picture in a gallery, and to tell who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face import align
from workers.face.align import Points
from workers.face.pyramid import Pyramid
from workers.face.region import bounds
from workers.frames import Face, Frame
from workers.media.planes import Canvas

#: Side of a gallery's pictures: a face is seen well, and a hundred of them are a megabyte.
SIDE_PX = 192
_JPEG_QUALITY = 88

#: Distance between the eyes from which on more pixels make no better picture of `SIDE_PX`.
_ENOUGH_PX = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeup:
    """A face and its surroundings."""

    picture: NDArray[np.uint8]  # (H, W, 3), RGB
    landmarks: Points  # (5, 2) in that picture

    @classmethod
    def of(cls, frame: Frame, landmarks: Points) -> Self | None:
        """Cut the face with these landmarks (5, 2) out of its frame; None where it lies outside."""
        matrix = align.similarity(landmarks, align.template(SIDE_PX))
        canvas = Canvas(frame.picture)
        roi = canvas.fit(bounds(matrix, (0, 0), (SIDE_PX - 1, SIDE_PX - 1)))
        if roi[0] >= roi[2] or roi[1] >= roi[3]:
            return None
        levels = np.clip(canvas.read(roi), 0, 1) * 255
        return cls(
            picture=np.asarray(np.rint(levels), np.uint8),
            landmarks=np.asarray(landmarks - np.array(roi[:2], np.float32), np.float32),
        )

    def jpeg(self) -> bytes:
        """Return a JPEG of the face, upright, `SIDE_PX` a side."""
        matrix = align.similarity(self.landmarks, align.template(SIDE_PX))
        crop = np.asarray(Pyramid(self.picture).crop(matrix, SIDE_PX), np.uint8)
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        done, content = cv2.imencode(".jpg", np.ascontiguousarray(crop[..., ::-1]), options)
        assert done
        return content.tobytes()


def quality(face: Face) -> float:
    """Return 0..1: how good a picture of somebody this face makes. Large, sure and frontal is best."""
    left, right, nose = (face.landmarks[i].astype(np.float64) for i in range(3))
    along = right - left
    eyes_px = max(float(np.linalg.norm(along)), 1e-6)
    aside = abs(float(np.dot(nose - (left + right) / 2, along))) / eyes_px**2
    return face.score * min(1.0, eyes_px / _ENOUGH_PX) * max(0.0, 1.0 - 2.0 * aside)
