"""Finds faces: MTCNN's three stages, one picture at a time.

A picture's answer depends on that picture only. Frames are not batched together on purpose: the last bits of
a convolution may depend on the size of its batch, one bit can move a score over its threshold, and then the
way in which frames are grouped into chunks would show. Within a picture everything is batched.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.face.align import ARCFACE_112, Matrix, Points, apply, inverse, similarity
from workers.face.boxes import Boxes, crop_matrix, shifted, squared, suppress
from workers.face.pyramid import Pyramid
from workers.frames import Face
from workers.models.mtcnn import ONET_INPUT_PX, PNET_CELL_PX, PNET_STRIDE_PX, RNET_INPUT_PX, Mtcnn

LONGEST_SIDE_PX = 1280  # what callers should shrink a picture to: faces of 5 % are seen, 4K costs no more
SMALLEST_FACE = 0.05  # of the shorter side, unless told otherwise: half of it takes four times as long
SMALLEST_FACE_PX = 20.0  # PNet's cell is 12 px; less than this is noise
PYRAMID_STEP = 0.709  # about sqrt(1/2): each level has half the area (the paper's)
PNET_SCORE, RNET_SCORE = 0.6, 0.7  # the paper's thresholds
ONET_SCORE = 0.4  # low on purpose: who asks for faces decides how sure they must be
STEP_PX = 1 / 64  # coordinates are rounded to this, so that a last bit is not carried along

_MAX_PROPOSALS = 400  # per stage; crowds stay under it, noise cannot take all memory

# ONet's landmarks move by several pixels with the box they are seen in, and the mean over a few boxes hardly:
# on a talking head the RMS of their second difference fell from 2.5 to 8 px to 0.5 px. Rows are scale, right
# and down in sides of the crop.
_LOOKS = np.array(
    [
        [1.0, 0, 0],
        [0.9, 0.04, 0.04],
        [1.1, -0.04, -0.04],
        [1, 0.06, 0],
        [1, -0.06, 0],
        [1, 0, 0.06],
        [1, 0, -0.06],
    ],
    dtype=np.float32,
)
# Of that crop's side to the template's: four times the landmarks' RMS distance from their centre, which lies
# a little below the crop's. Found by the least scatter between looks.
_LOOK_SPAN = 98.0
_LOOK_CENTRE = ARCFACE_112.mean(axis=0) - np.array([0.0, 3.0], np.float32)


class FaceFinder:
    """Finds faces and their landmarks in RGB pictures."""

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        self._nets = Mtcnn.load(self._device)
        self._smallest = SMALLEST_FACE

    @property
    def size_bytes(self) -> int:
        """What its networks take on their device."""
        nets = (self._nets.pnet, self._nets.rnet, self._nets.onet)
        return sum(weight.nbytes for net in nets for weight in net.parameters())

    def down_to(self, smallest: float) -> FaceFinder:
        """Return a finder with the same networks, for faces of `smallest` of the shorter side and larger."""
        other = copy.copy(self)
        other._smallest = smallest  # noqa: SLF001 - of the same class
        return other

    @torch.inference_mode()
    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        """Return the faces of an RGB picture (uint8), best score (at least `ONET_SCORE`) first."""
        boxes = self._refuse(picture, self._propose(picture))
        found = distinct(self._judge(picture, squared(boxes)))
        settled = [self._settle(picture, face) for face in found]
        return tuple(distinct(settled))

    @torch.inference_mode()
    def look_at(self, picture: Pyramid, landmarks: Points) -> Face:
        """Return the face whose landmarks (5, 2) are about known.

        Only the last stage runs, on upright crops placed by the landmarks; the score is the mean of theirs
        and says whether a face is there. A second look, from where the first one found them, settles it.
        """
        rough = self._look(picture, landmarks, _LOOKS[:3])
        return self._look(picture, rough.landmarks, _LOOKS)

    def _settle(self, picture: Pyramid, face: Face) -> Face:
        settled = self.look_at(picture, face.landmarks)
        return Face(box=settled.box, landmarks=settled.landmarks, score=max(face.score, settled.score))

    def _propose(self, picture: Pyramid) -> Boxes:
        height, width = picture.picture.shape[:2]
        levels = [self._level(picture, scale) for scale in scales(height, width, self._smallest)]
        if not levels:
            return np.empty((0, 4), np.float32)
        boxes = np.concatenate([boxes for boxes, _ in levels])
        scores = np.concatenate([scores for _, scores in levels])
        return squared(boxes[suppress(boxes, scores, 0.7)[:_MAX_PROPOSALS]])

    def _level(self, picture: Pyramid, scale: float) -> tuple[Boxes, NDArray[np.float32]]:
        scores, offsets = self._nets.pnet(self._tensor(picture.resized(scale)[None]))
        score = scores[0].cpu().numpy()
        rows, columns = np.nonzero(score >= PNET_SCORE)
        corner = np.stack([columns, rows], axis=1).astype(np.float32) * PNET_STRIDE_PX
        cells = np.concatenate([corner, corner + PNET_CELL_PX], axis=1) / np.float32(scale)
        boxes = shifted(cells.astype(np.float32), offsets[0].cpu().numpy()[:, rows, columns].T)
        kept = suppress(boxes, score[rows, columns], 0.5)[:_MAX_PROPOSALS]
        return boxes[kept], score[rows, columns][kept]

    def _refuse(self, picture: Pyramid, boxes: Boxes) -> Boxes:
        if not len(boxes):
            return boxes
        answers = self._nets.rnet(self._crops(picture, boxes, RNET_INPUT_PX))
        scores, offsets = (t.cpu().numpy() for t in answers)
        sure = scores >= RNET_SCORE
        moved = shifted(boxes[sure], offsets[sure])
        return moved[suppress(moved, scores[sure], 0.7)]

    def _judge(self, picture: Pyramid, boxes: Boxes) -> list[Face]:
        if not len(boxes):
            return []
        answers = self._nets.onet(self._crops(picture, boxes, ONET_INPUT_PX))
        scores, offsets, marks = (t.cpu().numpy() for t in answers)
        landmarks = boxes[:, None, :2] + marks * (boxes[:, 2:] - boxes[:, :2])[:, None]
        moved = shifted(boxes, offsets)
        sure = np.flatnonzero(scores >= ONET_SCORE)
        return [_face(moved[i], landmarks[i], float(scores[i])) for i in sure]

    def _look(self, picture: Pyramid, landmarks: Points, looks: Points) -> Face:
        upright = similarity(landmarks, ARCFACE_112)
        matrices = [_look_matrix(upright, look) for look in looks]
        crops = np.stack([picture.crop(matrix, ONET_INPUT_PX) for matrix in matrices])
        scores, _, marks = (t.cpu().numpy() for t in self._nets.onet(self._tensor(crops)))
        found = [apply(inverse(m), marks[i] * ONET_INPUT_PX - 0.5) for i, m in enumerate(matrices)]
        mean = np.asarray(np.mean(found, axis=0), np.float32)
        return _face(_box_around(mean), mean, float(scores.mean()))

    def _crops(self, picture: Pyramid, boxes: Boxes, side_px: int) -> Tensor:
        return self._tensor(np.stack([picture.crop(crop_matrix(box, side_px), side_px) for box in boxes]))

    def _tensor(self, pictures: NDArray[np.uint8]) -> Tensor:
        values = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2)
        return ((values.float() - 127.5) / 128).contiguous()


def scales(height: int, width: int, smallest: float = SMALLEST_FACE) -> list[float]:
    """Return the scales at which PNet looks at a picture for faces of `smallest` of its shorter side up."""
    shorter = min(height, width)
    scale = min(1.0, PNET_CELL_PX / max(SMALLEST_FACE_PX, smallest * shorter))
    falling = []
    while shorter * scale >= PNET_CELL_PX:
        falling.append(scale)
        scale *= PYRAMID_STEP
    return falling


def distinct(faces: list[Face]) -> list[Face]:
    """Return `faces`, best first, less those that lie on a better one, or inside it."""
    if not faces:
        return []
    boxes = np.asarray([face.box for face in faces], np.float32)
    scores = np.asarray([face.score for face in faces], np.float32)
    apart = suppress(boxes, scores, 0.4)
    alone = apart[suppress(boxes[apart], scores[apart], 0.6, by_smaller=True)]
    return [faces[i] for i in alone]


def _look_matrix(upright: Matrix, look: Points) -> Matrix:
    """Return the similarity to ONet's crop, given the one to the template and one row of `_LOOKS`."""
    scale = ONET_INPUT_PX / (_LOOK_SPAN * look[0])
    shift = ONET_INPUT_PX / 2 - (_LOOK_CENTRE + look[1:] * _LOOK_SPAN) * scale
    return np.asarray(np.column_stack([upright[:, :2] * scale, upright[:, 2] * scale + shift]), np.float32)


def _box_around(landmarks: Points) -> NDArray[np.float32]:
    """Return the box that a face with these landmarks fills, from brow to chin."""
    to_picture = similarity(ARCFACE_112, landmarks)
    corners = np.array([[14, 10], [98, 10], [14, 122], [98, 122]], np.float32)  # in the template's units
    placed = apply(to_picture, corners)
    return np.concatenate([placed.min(axis=0), placed.max(axis=0)])


def _face(box: NDArray[np.float32], landmarks: NDArray[np.float32], score: float) -> Face:
    x0, y0, x1, y1 = (float(v) for v in np.round(box / STEP_PX) * STEP_PX)
    steps = np.round(landmarks / STEP_PX) * STEP_PX
    return Face(box=(x0, y0, x1, y1), landmarks=steps.astype(np.float32), score=score)
