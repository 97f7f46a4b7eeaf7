"""Writes a trained network as the weight file that ships."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from workers.models.unet import FusionUNet


def publish(network: FusionUNet, path: Path, facts: dict[str, Any]) -> None:
    """Write `path` and, beside it, the JSON file with its hash, its config and `facts`."""
    content = save({name: tensor.contiguous() for name, tensor in network.core.state_dict().items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    write_facts(
        path,
        {
            "sha256": hashlib.sha256(content).hexdigest(),
            "config": dataclasses.asdict(network.config),
            **facts,
        },
    )


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """Write the JSON file beside `path`."""
    path.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
