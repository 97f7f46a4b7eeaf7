"""What a swap network is told of the source: computed once a job, since it depends on the portrait only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.analysers.recogniser import Embedding, Recogniser, unit
from workers.errors import ModelUnusable
from workers.face import align
from workers.face.align import Points
from workers.face.pyramid import Pyramid
from workers.face.templates import landmarks_of
from workers.models.extra import extra_module
from workers.models.onnx_session import OnnxNetwork
from workers.swappers.identity.contracts import Contract

SourceInput = NDArray[np.float32]  # (1, 512), or (1, 3, S, S) for networks that take a picture

_SIZE = 512  # of an embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """A portrait's picture (H, W, 3), RGB, and the landmarks (5, 2) of the face that was chosen in it."""

    picture: NDArray[np.uint8]
    landmarks: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEncoder:
    """Turns portraits into a network's source input. Which parts it needs depends on the contract."""

    contract: Contract
    recogniser: Recogniser | None = None
    emap: NDArray[np.float32] | None = None  # (512, 512)
    converter: OnnxNetwork | None = None  # raw embedding (1, 512) to (1, 512)

    def encode(self, portraits: Sequence[Likeness]) -> SourceInput:
        """Return the source input; of several portraits of one person, from the mean of their embeddings.

        A network that takes a picture gets the first: the mean of pictures is nobody's.
        """
        if self.contract.source == "crop":
            return self._crop(portraits[0])
        assert self.recogniser is not None
        embeddings = [self.recogniser.embed(each.picture, each.landmarks) for each in portraits]
        return self.from_embedding(np.asarray(np.mean(embeddings, axis=0), np.float32))

    def from_embedding(self, raw: Embedding) -> SourceInput:
        """Return the source input for an embedding (512,) as the recogniser gives it."""
        if self.contract.source == "unit":
            return unit(raw)[None]
        if self.contract.source == "emap":
            assert self.emap is not None
            # Brought to length 1 by its own norm, as insightface's INSwapper does; others divide by the
            # embedding's norm only, which gives the same direction at another length.
            return unit(unit(raw) @ self.emap)[None]
        assert self.converter is not None
        name = next(iter(self.converter.inputs))
        converted = np.asarray(self.converter.run({name: raw[None]})[0], np.float32).reshape(-1)
        return (unit(converted) if self.contract.source == "converted-unit" else converted)[None]

    def _crop(self, portrait: Likeness) -> SourceInput:
        side_px = self.contract.source_side_px
        goal = landmarks_of(self.contract.source_template, side_px)
        crop = Pyramid(portrait.picture).crop(align.similarity(portrait.landmarks, goal), side_px)
        return np.asarray(crop.transpose(2, 0, 1)[None] / 255, np.float32)


def read_emap(path: Path) -> NDArray[np.float32]:
    """Return the matrix (512, 512) that lies last in an inswapper file.

    Raises:
        PackageMissing: the package onnx is not installed.
        ModelUnusable: there is none.
    """
    onnx = _onnx()
    tensors = onnx.load(str(path), load_external_data=False).graph.initializer
    if not tensors or tuple(tensors[-1].dims) != (_SIZE, _SIZE):
        raise ModelUnusable(f"{path.name} ends with no matrix of {_SIZE} x {_SIZE}: it is no inswapper")
    # Of weights that lie in a file of their own, this one alone is read.
    return np.asarray(onnx.numpy_helper.to_array(tensors[-1], str(path.parent)), np.float32)


def _onnx() -> Any:
    extra_module("onnx.numpy_helper")
    return extra_module("onnx")
