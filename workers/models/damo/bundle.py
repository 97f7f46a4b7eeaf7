"""The published directory as a whole: every network that the inference path needs, and its soft mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from workers.errors import WeightsRejected
from workers.face.mask import Mask
from workers.models.damo.backbone import Backbone, load_backbone
from workers.models.damo.coefficients import Reconstruction, load_reconstruction
from workers.models.damo.jaw import JawModel, load_jaw
from workers.models.damo.network import DamoNetwork, load_damo

SIDE_PX = 256  # of the crop, on both ways

#: Where the published directory has them, without their suffixes: safetensors may stand for pickles.
NETWORK = "pytorch_model"
BACKBONE = "faceRecog/CurricularFace_Backbone"
RECONSTRUCTION = "3dRecon/face_3d"
FACE_MODEL = "BFM/BFM_model_front"
NEEDED = (NETWORK, BACKBONE, RECONSTRUCTION, FACE_MODEL)
MASK = "alpha"  # the part of a crop that its publisher pastes; used if it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class DamoBundle:
    """Everything, on one device, ready to be used."""

    network: DamoNetwork
    backbone: Backbone
    reconstruction: Reconstruction
    jaw: JawModel
    mask: Mask | None  # (256, 256)
    device: torch.device


def load_bundle(files: Mapping[str, Path], device: torch.device, narrow: int = 1) -> DamoBundle:
    """Load the directory's files, given by their names in it without suffixes.

    Raises:
        WeightsRejected: one is missing, cannot be read safely, or is not the published one.
        PackageMissing: scipy is not installed.
    """
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise WeightsRejected(f"of damo's directory there is no {', no '.join(missing)}")
    network = load_damo(files[NETWORK], narrow=narrow).to(device)
    # Channels last: a sixth faster on CPUs, and most of the work is here.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return DamoBundle(
        network=network,
        backbone=load_backbone(files[BACKBONE], narrow).to(device),
        reconstruction=load_reconstruction(files[RECONSTRUCTION], narrow).to(device),
        jaw=load_jaw(files[FACE_MODEL]).to(device),
        mask=_mask(files[MASK]) if MASK in files else None,
        device=device,
    )


def _mask(path: Path) -> Mask:
    """Return the published mask at the crop's size, its outermost pixels nothing: its end would show."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise WeightsRejected(f"{path.name} is no picture")
    mask = np.asarray(cv2.resize(picture, (SIDE_PX, SIDE_PX)), np.float32) / np.float32(255)
    mask[[0, -1]] = mask[:, [0, -1]] = 0
    return mask
