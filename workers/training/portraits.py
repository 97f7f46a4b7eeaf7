"""Photographs of faces, cut as the render cuts them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from workers.errors import NoFaceFound, NotAPicture
from workers.face.align import ARCFACE_112, CROP_SPAN, similarity, template, to_crop
from workers.face.pyramid import Pyramid
from workers.models.mtcnn_cascade import FaceFinder
from workers.training.noise import Picture
from workers.training.shape import Pose

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# A face's half width in the template's units: the pupils (35 units apart) lie at about 0.41 of it.
_HALF_WIDTH = 43.0
_BELOW_NOSE_BRIDGE = 0.2  # the face's centre lies so many half widths below the eyes


def crop_portrait(path: Path, size_px: int) -> Picture:
    """Return the best face of a picture file as an aligned crop, (size_px, size_px, 3) RGB in [0, 1].

    Raises:
        NotAPicture: it cannot be read.
        NoFaceFound: it shows no face.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise NotAPicture(f"{path} cannot be read as a picture")
    pyramid = Pyramid(np.ascontiguousarray(picture[..., ::-1]))
    faces = FaceFinder().find(pyramid)
    if not faces:
        raise NoFaceFound(f"{path} shows no face")
    crop = pyramid.crop(similarity(faces[0].landmarks, template(size_px)), size_px)
    return np.asarray(crop, np.float32) / np.float32(255.0)


def crop_folder(folder: Path, size_px: int) -> list[Picture]:
    """Return a crop for every picture in `folder`, in the order of their names."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return [crop_portrait(path, size_px) for path in files]


def aligned_pose() -> Pose:
    """Return where a face lies in an aligned crop."""
    eyes = to_crop(ARCFACE_112[:2], 1).mean(axis=0)
    radius = _HALF_WIDTH / CROP_SPAN
    return Pose(float(eyes[0]), float(eyes[1]) + _BELOW_NOSE_BRIDGE * radius, radius, angle_deg=0.0, turn=0.0)
