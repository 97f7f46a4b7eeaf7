"""Where a face's jaw line lies in its crop: the Basel face model, projected by its coefficients.

The model's shapes span 35,709 points; only the 17 landmarks of the jaw line are kept of them. The camera is
Deep3DFaceRecon's (Deng et al. 2019): at a distance of 10, its focal length 1015 pixels of a crop of 224.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.errors import PackageMissing, WeightsRejected
from workers.models.damo.coefficients import GROUPS, SIDE_PX
from workers.models.damo.motion import KEYPOINTS

_FOCAL_PX, _CENTRE_PX = 1015.0, SIDE_PX / 2
_DISTANCE = 10.0

#: What is read of the file: the mean face, what identity and expression add to it, and the landmarks' points.
_NAMES = ("meanshape", "idBase", "exBase", "keypoints")
_IDENTITY, _EXPRESSION = GROUPS[0], GROUPS[1]


class JawModel(nn.Module):
    """Projects jaw lines. Without weights of its own: what it holds is geometry."""

    def __init__(self, mean: Tensor, identity: Tensor, expression: Tensor) -> None:
        """Take the jaw's points (17, 3), and what the coefficients add: (17, 3, 80) and (17, 3, 64)."""
        super().__init__()
        for name, value in (("mean", mean), ("identity", identity), ("expression", expression)):
            self.register_buffer(name, value)

    def forward(self, coefficients: Tensor) -> Tensor:
        """Take coefficients (N, 257); return jaw lines (N, 17, 2), x and y in -1..1, y down."""
        identity, expression, _, angles, _, across, depth = torch.split(coefficients, list(GROUPS), dim=1)
        shape = self.get_buffer("mean") + torch.einsum("kdi,ni->nkd", self.get_buffer("identity"), identity)
        shape = shape + torch.einsum("kdi,ni->nkd", self.get_buffer("expression"), expression)
        placed = shape @ turned(angles).transpose(1, 2) + torch.cat((across, depth), dim=1)[:, None]
        projected = placed[..., :2] * _FOCAL_PX / (_DISTANCE - placed[..., 2:]) + _CENTRE_PX
        # The model's y grows up, a crop's down.
        x, y = (projected / SIDE_PX).unbind(-1)
        return torch.stack((x, 1 - y), dim=-1) * 2 - 1


def fused_coefficients(source_identity: Tensor, target: Tensor) -> Tensor:
    """Return the target's coefficients (N, 257) with a shape half way to the source's identity (1, 80)."""
    own = target[:, :_IDENTITY]
    return torch.cat(((source_identity + own) / 2, target[:, _IDENTITY:]), dim=1)


def turned(angles: Tensor) -> Tensor:
    """Return the rotations (N, 3, 3) by angles (N, 3) about x, then y, then z, in radians."""
    return _about(angles[:, 2], 0, 1) @ _about(angles[:, 1], 2, 0) @ _about(angles[:, 0], 1, 2)


def load_jaw(path: Path) -> JawModel:
    """Return the jaw line of `BFM_model_front.mat`. Such a file holds arrays, and nothing that could run.

    Raises:
        PackageMissing: scipy, which reads it, is not installed.
        WeightsRejected: it is no such file, or its arrays are not the model's.
    """
    arrays = _read(path)
    try:
        points = np.asarray(arrays["keypoints"], np.int64).reshape(-1)[:KEYPOINTS] - 1
        mean = np.asarray(arrays["meanshape"], np.float32).reshape(-1, 3)
        rows = [_rows(arrays[name], points, GROUPS[group]) for group, name in enumerate(("idBase", "exBase"))]
        jaw = (mean - mean.mean(axis=0, keepdims=True))[points]
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise WeightsRejected(f"{path.name} is not the face model's front: {error}") from error
    return JawModel(torch.from_numpy(jaw), *(torch.from_numpy(row) for row in rows))


def _rows(basis: NDArray[Any], points: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Return what `size` coefficients add to these points: (17, 3, size)."""
    return np.ascontiguousarray(np.asarray(basis, np.float32).reshape(-1, 3, size)[points])


def _about(angle: Tensor, first: int, second: int) -> Tensor:
    """Return rotations that turn the axis `first` towards `second`."""
    turn = torch.eye(3, dtype=angle.dtype, device=angle.device).repeat(len(angle), 1, 1)
    turn[:, first, first] = turn[:, second, second] = torch.cos(angle)
    turn[:, first, second], turn[:, second, first] = -torch.sin(angle), torch.sin(angle)
    return turn


def _read(path: Path) -> dict[str, Any]:
    try:
        io = importlib.import_module("scipy.io")
    except ImportError as error:
        raise PackageMissing(
            "scipy is not installed here, which reads the face model: "
            "pip install 'face-fusion-farm[worker,models]'"
        ) from error
    try:
        found: dict[str, Any] = io.loadmat(str(path), variable_names=list(_NAMES))
    except Exception as error:  # scipy's errors have no common root but this
        raise WeightsRejected(f"{path.name} cannot be read: {error}") from error
    return found
