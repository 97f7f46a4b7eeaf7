"""Random weights under damo's published names, and a directory of them in the published form.

No weights of its publisher are here. These keep a signal's size through the networks, so that outputs differ
with inputs; the face model is a cloud of points with the published arrays' names and forms.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from workers.models.damo.backbone import Backbone
from workers.models.damo.bundle import BACKBONE, FACE_MODEL, MASK, NETWORK, RECONSTRUCTION
from workers.models.damo.coefficients import Reconstruction
from workers.models.damo.network import DamoNetwork

POWER_STEPS = 20  # towards each weight's largest singular vectors, as training leaves them
NUM_POINTS = 300  # of the face model; the published one has 35,709

#: How far normalisations scale: residual networks grow with every unit, and need less.
_WHOLE, _RESIDUAL = (0.5, 1.0), (0.3, 0.2)


def network_weights(narrow: int = 1) -> dict[str, Tensor]:
    """Return weights of the face fusion network, their spectral norms as training leaves them."""
    with torch.device("meta"):
        state = _drawn(DamoNetwork(narrow), _WHOLE)
    for name in [name for name in state if name.endswith("weight_bar")]:
        stem = name.removesuffix("weight_bar")
        flat = state[name].flatten(1)
        u = nn.functional.normalize(torch.randn(len(flat)), dim=0)
        for _ in range(POWER_STEPS):
            v = nn.functional.normalize(flat.T @ u, dim=0)
            u = nn.functional.normalize(flat @ v, dim=0)
        state[stem + "weight_u"], state[stem + "weight_v"] = u, v
    return state


def backbone_weights(narrow: int = 1) -> dict[str, Tensor]:
    with torch.device("meta"):
        return _drawn(Backbone(narrow), _RESIDUAL)


def reconstruction_weights(narrow: int = 1) -> dict[str, Tensor]:
    """Return weights whose coefficients are as small as a face's: of heads turned by some degrees."""
    with torch.device("meta"):
        state = _drawn(Reconstruction(narrow), _RESIDUAL)
    return {name: value * (0.2 if "final" in name else 1) for name, value in state.items()}


def write_face_model(path: Path) -> None:
    """Write a file of the published arrays: 17 points of a jaw line first, others around them."""
    random = np.random.default_rng(0)
    turn = np.linspace(0, np.pi, 17)
    jaw = np.column_stack([-np.cos(turn), -0.9 * np.sin(turn) + 0.2, 0.4 * np.sin(turn)])
    points = np.concatenate([jaw, random.normal(0, 0.6, (NUM_POINTS - 17, 3))])
    path.parent.mkdir(parents=True, exist_ok=True)
    importlib.import_module("scipy.io").savemat(
        path,
        {
            "meanshape": points.reshape(1, -1),
            "idBase": random.normal(0, 0.02, (3 * NUM_POINTS, 80)),
            "exBase": random.normal(0, 0.02, (3 * NUM_POINTS, 64)),
            "meantex": random.uniform(0, 255, (1, 3 * NUM_POINTS)),
            "texBase": random.normal(0, 1, (3 * NUM_POINTS, 80)),
            "point_buf": random.integers(1, 50, (NUM_POINTS, 8)),
            "tri": random.integers(1, NUM_POINTS, (50, 3)),
            "keypoints": np.arange(1, 69).reshape(1, -1),
            "frontmask2_idx": np.arange(1, 100).reshape(-1, 1),
            "tri_mask2": random.integers(1, NUM_POINTS, (20, 3)),
            "skinmask": np.ones((1, NUM_POINTS)),
        },
    )


def write_directory(directory: Path, narrow: int = 1) -> Path:
    """Write everything that the farm reads of the published directory; return it."""
    for name in (NETWORK, BACKBONE, RECONSTRUCTION):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
    state = {f"module.{name}": value for name, value in network_weights(narrow).items()}
    torch.save({"state_dict": state}, directory / f"{NETWORK}.pt")
    torch.save(backbone_weights(narrow), directory / f"{BACKBONE}.pth")
    torch.save({"net_recon": reconstruction_weights(narrow)}, directory / f"{RECONSTRUCTION}.pth")
    write_face_model(directory / f"{FACE_MODEL}.mat")
    mask = np.zeros((320, 320), np.uint8)
    cv2.ellipse(mask, (160, 190), (90, 110), 0, 0, 360, 255, -1)
    cv2.imwrite(str(directory / f"{MASK}.jpg"), cv2.GaussianBlur(mask, (0, 0), 12))
    return directory


def _drawn(network: nn.Module, scales: tuple[float, float]) -> dict[str, Tensor]:
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    with torch.device("cpu"):
        return {name: _random(name, shape, scales) for name, shape in shapes.items()}


def _random(name: str, shape: tuple[int, ...], scales: tuple[float, float]) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(1)
    if name.endswith("running_var"):
        return 0.5 + torch.rand(shape)
    if name.endswith(".weight") and len(shape) == 1:
        return scales[0] + scales[1] * torch.rand(shape)
    if name.endswith("down.weight"):
        return torch.full(shape, 1 / 169) + torch.rand(shape) / 1690
    if name.endswith("gamma"):
        return torch.tensor(0.7)
    return torch.randn(shape) * ((2 / torch.Size(shape[1:]).numel()) ** 0.5 if len(shape) > 1 else 0.1)
