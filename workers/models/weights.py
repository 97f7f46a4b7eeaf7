"""The fusion network's weight file: a safetensors file, and beside it a JSON file that says what is in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load

from workers.errors import WeightsRejected
from workers.models.unet import FusionConfig, FusionUNet

SHIPPED = Path(__file__).parents[1] / "weights" / "fusion-lite.safetensors"


def load_fusion(path: Path | None = None) -> FusionUNet:
    """Return the fusion network with the weights in `path` (default: those that ship), in eval mode, on CPU.

    Raises:
        WeightsRejected: a file is missing, or its hash, its keys or its shapes are not those expected.
    """
    path = path or SHIPPED
    facts = read_facts(path)
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != facts.get("sha256"):
        raise WeightsRejected(f"{path.name}: sha256 is {digest}, not {facts.get('sha256')}")
    try:
        network = FusionUNet(FusionConfig(**facts["config"]))
        network.core.load_state_dict(load(content), strict=True)
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsRejected(f"{path.name}: {error}") from error
    return network.eval()


def read_facts(path: Path | None = None) -> dict[str, Any]:
    """Return what the JSON file beside `path` says: sha256, config, training, scores.

    Raises:
        WeightsRejected: it is missing, or no JSON object.
    """
    beside = (path or SHIPPED).with_suffix(".json")
    try:
        facts = json.loads(_read(beside))
    except ValueError as error:
        raise WeightsRejected(f"{beside.name}: {error}") from error
    if not isinstance(facts, dict):
        raise WeightsRejected(f"{beside.name}: not a JSON object")
    return facts


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsRejected(f"{path.name}: {error.strerror}") from error
