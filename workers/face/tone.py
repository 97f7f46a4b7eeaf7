"""How a face was coloured, as a coarse grid over its crop: what must not flicker from frame to frame.

A tone is what fusion adds to the placed source, low-passed, less the target's overall light: a lamp that is
switched on is followed at once, and what remains is the fusion's own judgement, which should hardly change.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.mask import Mask, core_of

Rgb = NDArray[np.float32]  # (S, S, 3) in 0..1
Tone = NDArray[np.float32]  # (CELLS, CELLS, 3)

CELLS = 16  # a side: as coarse as the fusion network's own grid
REACH = 2  # frames either way
WEIGHTS = (6, 4, 1)  # the binomial kernel by distance, as landmarks are smoothed

_SPREAD = 1.5  # cells: beyond the mask the tone goes on as it is nearby
_TINY = 1e-4


def tone_of(fused: Rgb, placed: Rgb, target: Rgb, mask: Mask) -> Tone:
    """Return the tone of a `fused` crop, made of `placed` (the source in its own colours) and `target`."""
    core = core_of(mask)
    weight = _cells(core)
    light = _cells(target * core[..., None]).sum(axis=(0, 1)) / max(float(weight.sum()), _TINY)
    added = _cells((fused - placed) * core[..., None])
    near = cv2.GaussianBlur(np.dstack([added, weight]), (0, 0), _SPREAD, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(near[..., :3] / np.maximum(near[..., 3:], _TINY) - light, np.float32)


def calming(window: Sequence[Tone]) -> Tone:
    """Return what smooths the first tone of `window`, when added; the others come in pairs, outwards."""
    weights = np.array([WEIGHTS[(place + 1) // 2] for place in range(len(window))], np.float64)
    mean = np.tensordot(weights / weights.sum(), np.asarray(window, np.float64), axes=1)
    return np.asarray(mean - window[0], np.float32)


def toned(fused: Rgb, change: Tone, mask: Mask) -> Rgb:
    """Return `fused` with a tone added under `mask` (S, S); where that is 0 no value changes."""
    fine = cv2.resize(change, fused.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(fused + fine * mask[..., None], 0, 1), np.float32)


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(values, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)
