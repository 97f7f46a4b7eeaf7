"""Networks that tell what covers a face, and which part of a picture is which part of a face.

Contracts are those of the published files, as their users run them: XSeg's occluders (DeepFaceLab's kind)
look at BGR in rows, BiSeNet's parsers (Yu et al. 2018, trained on CelebAMask-HQ) at normalised RGB in planes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.errors import ModelUnusable
from workers.face.mask import Mask
from workers.media.planes import Rgb
from workers.models.onnx_session import OnnxNetwork

_CHANNELS, _DIMS = 3, 4

#: CelebAMask-HQ's classes that are a face: skin, brows, eyes, glasses, nose, mouth, lips.
FACE_CLASSES = (1, 2, 3, 4, 5, 6, 10, 11, 12, 13)
_CLASSES = 19

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # ImageNet's
_STD = np.array([0.229, 0.224, 0.225], np.float32)


class Occluder:
    """Tells where nothing lies over a face: no hand, no hair, no microphone."""

    def __init__(self, network: OnnxNetwork) -> None:
        """Take a network of one picture (1, S, S, 3) that gives (1, S, S, 1).

        Raises:
            ModelUnusable: it has other inputs or outputs.
        """
        self.network, self._input = network, next(iter(network.inputs))
        shape = network.inputs[self._input]
        if len(network.inputs) != 1 or len(shape) != _DIMS or shape[3] != _CHANNELS or shape[1] is None:
            raise ModelUnusable(f"{network.name} is no occluder: it takes {list(network.inputs.values())}")
        self._side_px = shape[1]

    def clear(self, crop: Rgb) -> Mask:
        """Return a mask (S, S) of a crop (S, S, 3), RGB in 0..1: 1 where the face is seen, 0 where not."""
        small = _resized(crop, self._side_px)[..., ::-1]
        found = self.network.run({self._input: small[None]})[0].reshape(self._side_px, self._side_px)
        return softened(np.asarray(np.clip(found, 0, 1), np.float32), len(crop))


class FaceParser:
    """Tells where a crop shows face, and where hair, clothes or background."""

    def __init__(self, network: OnnxNetwork) -> None:
        """Take a network of one picture (1, 3, S, S) whose first output is (1, 19, S, S).

        Raises:
            ModelUnusable: it has other inputs or outputs.
        """
        self.network, self._input = network, next(iter(network.inputs))
        shape, given = network.inputs[self._input], next(iter(network.outputs.values()))
        is_parser = len(given) == _DIMS and given[1] in {_CLASSES, None}
        if len(shape) != _DIMS or shape[1] != _CHANNELS or shape[2] is None or not is_parser:
            raise ModelUnusable(f"{network.name} is no face parser: it takes {shape} and gives {given}")
        self._side_px = shape[2]

    def face(self, crop: Rgb) -> Mask:
        """Return a mask (S, S) of a crop (S, S, 3), RGB in 0..1: 1 where it shows face, 0 elsewhere."""
        small = (_resized(crop, self._side_px) - _MEAN) / _STD
        scores = self.network.run({self._input: small.transpose(2, 0, 1)[None]})[0][0]
        found = np.isin(scores.argmax(axis=0), FACE_CLASSES)
        return softened(np.asarray(found, np.float32), len(crop))


def softened(mask: NDArray[np.float32], side_px: int) -> Mask:
    """Return a mask at a crop's side, its edge moved inwards and made soft: nothing outside is let in."""
    sized = np.asarray(cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.float32)
    # Five pixels of 256, as users of these networks know it; larger crops get the same look.
    blurred = cv2.GaussianBlur(sized, (0, 0), 5 * side_px / 256)
    return np.asarray((np.clip(blurred, 0.5, 1) - 0.5) * 2, np.float32)


def _resized(crop: Rgb, side_px: int) -> Rgb:
    shrinks = side_px < len(crop)
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (side_px, side_px), interpolation=way), np.float32)
