"""Packages of the extra `models`: imported where they are needed, and named where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from workers.errors import PackageMissing


def extra_module(name: str) -> Any:
    """Return a module of such a package, "onnx.numpy_helper", say.

    Raises:
        PackageMissing: the package is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PackageMissing(
            f"{name.partition('.')[0]} is not installed here: pip install 'face-fusion-farm[worker,models]'"
        ) from error
