"""The face detector's weights: found inside the `mtcnn` package, checked by hash, put into torch's layout.

The package itself is never imported: it would look for tensorflow. Its lists hold, layer by layer and in
order, a kernel (Keras layout: height, width, in, out), a bias and the slopes of a PReLU.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import cast

import joblib
import numpy as np
import torch
from numpy.typing import NDArray

from workers.errors import WeightsRejected

# Of mtcnn 1.0.0 (MIT licence). joblib files can run code when loaded: the hash is checked before that.
SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_CONV_DIMS, _DENSE_DIMS = 4, 2  # of a kernel


def load_weights(name: str) -> list[torch.Tensor]:
    """Return the arrays of "pnet", "rnet" or "onet" in the file's order, in torch's layout, float32.

    Convolution kernels come as (out, in, height, width), dense ones as (out, in), the rest as (channels,).

    Raises:
        WeightsRejected: the package is not installed, or its file is not the one that is known here.
    """
    path = weights_path(name)
    check_sha256(path, SHA256[name])
    arrays = cast("list[NDArray[np.float32]]", joblib.load(path))
    return [_to_torch(array) for array in arrays]


def weights_path(name: str) -> Path:
    """Return where the installed `mtcnn` package keeps the weights `name`.

    Raises:
        WeightsRejected: the package is not installed.
    """
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsRejected("the package mtcnn 1.0.0 is not installed: pip install 'mtcnn==1.0.0'")
    return Path(spec.submodule_search_locations[0]) / "assets" / "weights" / f"{name}.lz4"


def check_sha256(path: Path, expected: str) -> None:
    """Check a file's hash.

    Raises:
        WeightsRejected: the file cannot be read, or its hash is not `expected`.
    """
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsRejected(f"cannot read the detector's weights {path.name}: {error}") from error
    if found != expected:
        raise WeightsRejected(
            f"{path.name} has SHA-256 {found[:12]}…, not {expected[:12]}…: not the known weights"
        )


def _to_torch(array: NDArray[np.float32]) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(array, dtype=np.float32))
    if tensor.ndim == _CONV_DIMS:
        return tensor.permute(3, 2, 0, 1).contiguous()
    if tensor.ndim == _DENSE_DIMS:
        return tensor.t().contiguous()
    return tensor.reshape(-1)
