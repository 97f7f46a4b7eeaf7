"""Who a face is, as numbers: an ArcFace network's embedding (Deng et al. 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.errors import ModelUnusable
from workers.face import align
from workers.face.align import Points
from workers.face.pyramid import Pyramid
from workers.face.templates import landmarks_of
from workers.models.onnx_session import OnnxNetwork

Embedding = NDArray[np.float32]  # (512,), not normalised

SIDE_PX = 112
_MIDDLE = 127.5  # a pixel's value v goes in as (v - 127.5) / 127.5


class Recogniser:
    """Gives faces' embeddings. Two of one person have a large cosine, of two people one near 0."""

    def __init__(self, network: OnnxNetwork) -> None:
        """Take a network of one image input (1, 3, 112, 112), RGB, and one output (1, size).

        Raises:
            ModelUnusable: it has other inputs or outputs.
        """
        shapes = list(network.inputs.values())
        if len(shapes) != 1 or len(network.outputs) != 1 or shapes[0][1:] != (3, SIDE_PX, SIDE_PX):
            raise ModelUnusable(f"{network.name} is no recogniser of {SIDE_PX} pixels: it takes {shapes}")
        self.network = network
        self._input = next(iter(network.inputs))

    def embed(self, picture: NDArray[np.uint8], landmarks: Points) -> Embedding:
        """Return the embedding of the face with these landmarks (5, 2) in an RGB picture (H, W, 3)."""
        matrix = align.similarity(landmarks, landmarks_of("arcface-112-v2", SIDE_PX))
        crop = np.asarray(Pyramid(picture).crop(matrix, SIDE_PX), np.float32)
        blob = ((crop - _MIDDLE) / _MIDDLE).transpose(2, 0, 1)[None]
        return np.asarray(self.network.run({self._input: blob})[0][0], np.float32)


def unit(embedding: Embedding) -> Embedding:
    """Return an embedding brought to length 1."""
    return np.asarray(embedding / np.linalg.norm(embedding), np.float32)
