"""The source portrait: a picture file's faces, and which of them was asked for."""

from __future__ import annotations

import io
import zipfile

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.errors import NoFaceFound, NoSuchFace, NotAPicture
from workers.face.pyramid import Pyramid, shrunk
from workers.face.track import Finder
from workers.frames import Face
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX
from workers.swappers.following import area, scaled

_LEAST_SCORE = 0.8  # of a face in a portrait: ONet's usual threshold
_ARCHIVE = b"PK"  # how the farm sends several
_LONGEST_PORTRAIT_PX = 4096  # larger ones are shrunk: no crop needs more, and memory stays bounded


def decoded(portrait: bytes) -> NDArray[np.uint8]:
    """Return a picture file (JPEG, PNG, WebP ...) as RGB (H, W, 3), turned as its EXIF says.

    Raises:
        NotAPicture: it cannot be decoded.
    """
    try:
        decoded = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise NotAPicture(f"the source portrait cannot be decoded: {error.err}") from error
    if decoded is None:
        raise NotAPicture("the source portrait is no picture that can be read")
    small, _ = shrunk(np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8), _LONGEST_PORTRAIT_PX)
    return np.asarray(small, np.uint8)


def unpacked(portraits: bytes) -> dict[str, bytes]:
    """Return picture files by name: one without a name, or those of an archive, in its order.

    Raises:
        NotAPicture: it begins as an archive, and is none.
    """
    if not portraits.startswith(_ARCHIVE):
        return {"": portraits}
    try:
        with zipfile.ZipFile(io.BytesIO(portraits)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise NotAPicture(f"the source portraits cannot be read: {error}") from error


def faces_in(picture: NDArray[np.uint8], finder: Finder) -> tuple[Face, ...]:
    """Return the faces of a portrait, left to right, in its own pixels."""
    small, factor = shrunk(picture, LONGEST_SIDE_PX)
    found = [face for face in finder.find(Pyramid(small)) if face.score >= _LEAST_SCORE]
    return tuple(sorted((scaled(face, 1 / factor) for face in found), key=lambda face: face.box))


def choice(faces: tuple[Face, ...], asked: int | None) -> int:
    """Return the number of the face that was asked for, by default the largest.

    Raises:
        NoFaceFound: there is none.
        NoSuchFace: there are fewer.
    """
    if not faces:
        raise NoFaceFound("no face was found in the source portrait")
    if asked is None:
        return max(range(len(faces)), key=lambda i: area(faces[i]))
    if not 0 <= asked < len(faces):
        listed = "; ".join(f"{i}: {_box_text(face)}" for i, face in enumerate(faces))
        raise NoSuchFace(f"the source portrait has no face {asked}; from left to right it has {listed}")
    return asked


def _box_text(face: Face) -> str:
    x0, y0, x1, y1 = (round(v) for v in face.box)
    return f"({x0}, {y0})-({x1}, {y1})"
