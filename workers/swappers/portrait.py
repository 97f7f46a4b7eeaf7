"""The default engine: a portrait's face, laid over each face of the video and settled by the fusion UNet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from broker.messages import FuseSpec
from workers.errors import NoFaceFound, NoSuchFace, NotAPicture
from workers.face.fuse import Likeness, fuse_face
from workers.face.pyramid import Pyramid, shrunk
from workers.face.track import RADIUS, Tracker
from workers.frames import Face, Frame
from workers.media.planes import Canvas, Rgb
from workers.models.device import best_device
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX, FaceFinder
from workers.models.unet import blur_inner
from workers.models.weights import load_fusion
from workers.swappers.contract import Source

# Takes x (N, 6, S, S), mask (N, 1, S, S) and target (N, 3, S, S), float32 RGB in 0..1; returns (N, 3, S, S).
Fusion = Callable[[Tensor, Tensor, Tensor], Tensor]

_LEAST_SCORE = 0.8  # of a face in a portrait: ONet's usual threshold
_LONGEST_PORTRAIT_PX = 4096  # larger ones are shrunk: no crop needs more, and memory stays bounded
_WARM_SIDE_PX = 256


class PortraitSwapper:
    """Fuses a portrait's face into every frame. One instance serves one chunk at a time."""

    name = "portrait"
    radius = RADIUS

    def __init__(self, fusion: Fusion | None = None, device: torch.device | None = None) -> None:
        """Load the models onto `device` (by default the GPU that the process was given, else the CPU).

        `fusion` takes the place of the shipped fusion UNet; it gets tensors on `device`.

        Raises:
            WeightsRejected: weights are missing or not the ones that were shipped.
        """
        self._device = device or best_device()
        self._finder = FaceFinder(self._device)
        self._fusion = fusion or _shipped_fusion(self._device)

    def warm(self) -> None:
        """Run the detector and the fusion once at the sizes of a 720p search and a usual crop."""
        self._finder.find(Pyramid(np.zeros((720, LONGEST_SIDE_PX, 3), np.uint8)))
        blank = np.zeros((_WARM_SIDE_PX, _WARM_SIDE_PX, 3), np.float32)
        self._fuse(blank, blank, np.ones(blank.shape[:2], np.float32))

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        """Find the face to take from a picture file (JPEG, PNG, WebP ...), turned as its EXIF says.

        Raises:
            NotAPicture: it cannot be decoded.
            NoFaceFound: there is no face in it.
            NoSuchFace: `fuse.source_face` is not the number of one of its faces.
        """
        picture = _decoded(portrait)
        faces = self._faces_of(picture)
        chosen = _choice(faces, fuse.source_face)
        return Source(faces=faces, chosen=chosen, prepared=Likeness.of(picture, faces[chosen].landmarks))

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        """Yield every frame that is not context, `RADIUS` frames after it came in, or when no more come.

        At most `RADIUS` + 1 frames are held, and 2 `RADIUS` + 1 pictures of the size that is searched.
        """
        tracker = Tracker(self._finder)
        waiting: deque[Frame] = deque()
        for frame in frames:
            tracker.feed(frame.index, Pyramid(_to_search(frame)))
            waiting.append(frame)
            if len(waiting) > RADIUS:
                yield from self._finished(waiting.popleft(), tracker, source, fuse)
        while waiting:
            yield from self._finished(waiting.popleft(), tracker, source, fuse)

    def _finished(self, frame: Frame, tracker: Tracker, source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        tracker.forget(frame.index - RADIUS)
        if frame.is_context:
            return
        canvas = Canvas(frame.picture)
        factor = frame.picture.width / _search_size(frame)[0]
        faces = _wanted(tracker.faces(frame.index), fuse.faces)
        marks = [_enlarged(face.landmarks, factor) for face in faces]
        num_fused = sum(fuse_face(canvas, landmarks, source.prepared, self._fuse) for landmarks in marks)
        yield Frame(picture=canvas.picture, index=frame.index, pts=frame.pts, num_faces=num_fused)

    @torch.inference_mode()
    def _fuse(self, target: Rgb, source: Rgb, mask: NDArray[np.float32]) -> Rgb:
        """Fuse one crop; always alone, because a batch's size may show in the last bits."""
        sharp, placed = self._tensor(target), self._tensor(source)
        soft = torch.from_numpy(mask)[None, None].to(self._device)
        fused = self._fusion(torch.cat([blur_inner(sharp, soft), placed], dim=1), soft, sharp)
        return np.ascontiguousarray(fused[0].permute(1, 2, 0).float().cpu().numpy())

    def _tensor(self, crop: Rgb) -> Tensor:
        return torch.from_numpy(crop).permute(2, 0, 1)[None].contiguous().to(self._device)

    def _faces_of(self, picture: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Return the faces of a portrait, left to right, in its own pixels."""
        small, factor = shrunk(picture, LONGEST_SIDE_PX)
        found = [face for face in self._finder.find(Pyramid(small)) if face.score >= _LEAST_SCORE]
        return tuple(sorted((_scaled(face, 1 / factor) for face in found), key=lambda face: face.box))


def _shipped_fusion(device: torch.device) -> Fusion:
    return load_fusion().to(device)


def _decoded(portrait: bytes) -> NDArray[np.uint8]:
    """Return the picture as RGB (H, W, 3), upright."""
    try:
        decoded = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise NotAPicture(f"the source portrait cannot be decoded: {error.err}") from error
    if decoded is None:
        raise NotAPicture("the source portrait is no picture that can be read")
    small, _ = shrunk(np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8), _LONGEST_PORTRAIT_PX)
    return np.asarray(small, np.uint8)


def _choice(faces: tuple[Face, ...], asked: int | None) -> int:
    if not faces:
        raise NoFaceFound("no face was found in the source portrait")
    if asked is None:
        return max(range(len(faces)), key=lambda i: _area(faces[i]))
    if not 0 <= asked < len(faces):
        listed = "; ".join(f"{i}: {_box_text(face)}" for i, face in enumerate(faces))
        raise NoSuchFace(f"the source portrait has no face {asked}; from left to right it has {listed}")
    return asked


def _box_text(face: Face) -> str:
    x0, y0, x1, y1 = (round(v) for v in face.box)
    return f"({x0}, {y0})-({x1}, {y1})"


def _area(face: Face) -> float:
    x0, y0, x1, y1 = face.box
    return (x1 - x0) * (y1 - y0)


def _wanted(faces: tuple[Face, ...], which: str) -> tuple[Face, ...]:
    if which == "largest" and faces:
        return (max(faces, key=_area),)
    return faces


def _search_size(frame: Frame) -> tuple[int, int]:
    """Return width and height of the picture that is searched."""
    width, height = frame.picture.width, frame.picture.height
    factor = min(1.0, LONGEST_SIDE_PX / max(width, height))
    return round(width * factor), round(height * factor)


def _to_search(frame: Frame) -> NDArray[np.uint8]:
    width, height = _search_size(frame)
    return np.asarray(frame.picture.to_ndarray(format="rgb24", width=width, height=height), np.uint8)


def _enlarged(landmarks: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Return landmarks in a picture `factor` times as large; pixel centres lie at halves."""
    return np.asarray((landmarks + 0.5) * factor - 0.5, np.float32)


def _scaled(face: Face, factor: float) -> Face:
    x0, y0, x1, y1 = (v * factor for v in face.box)
    return Face(box=(x0, y0, x1, y1), landmarks=_enlarged(face.landmarks, factor), score=face.score)
