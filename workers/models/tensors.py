"""Files of tensors: safetensors, and what `torch.save` wrote, read without running what may be in it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from workers.errors import WeightsRejected


def loaded(path: Path) -> Any:
    """Return what a `.safetensors` file or a pickle holds, on the CPU: tensors by name, maybe in tables.

    Raises:
        WeightsRejected: it cannot be read, or not without running something.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError, ValueError) as error:
        raise WeightsRejected(f"{path.name}: {str(error).partition(chr(10))[0]}") from error
