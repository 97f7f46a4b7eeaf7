"""Gives a source face the light of its target: mean and spread in Lab, then the slow changes across it.

The first is Reinhard et al. 2001, "Color Transfer between Images", weighted by the mask and with bounds. The
second takes over what a wide blur leaves of the target: the side that is lit, the shade under a brow.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.mask import Mask, core_of

Rgb = NDArray[np.float32]  # (S, S, 3) in 0..1; S at least 64

_SPREAD_BOUNDS = (
    0.65,
    np.array([1.5, 1.2, 1.2], np.float32),
)  # more turns shade to black, and noise to colour
_JUDGED_PX = 64
_SLOW_SIGMA = 1 / 12  # of the crop's side: slower than features, faster than the side light on a cheek
_SLOW_SHARE = np.array(
    [0.85, 0.7, 0.7], np.float32
)  # of it, by channel; the rest keeps the source's own relief
_SLOW_BOUND = np.array([25.0, 10.0, 12.0], np.float32)  # Lab units
# Target pixels further than this from its typical skin (Lab units, L at half) are hair or background.
_FOREIGN = 26.0


def match(source: Rgb, target: Rgb, mask: Mask) -> Rgb:
    """Return `source` with the target's colours and light, both looked at where `mask` (S, S) is high.

    Where `mask` is nowhere above one half the source comes back unchanged.
    """
    small_source, small_target, small_mask = (_shrunk(picture) for picture in (source, target, mask))
    core = core_of(small_mask)
    if float(core.sum()) <= 0:
        return source
    source_lab, target_lab = _lab(small_source), _lab(small_target)
    source_mean, source_spread = _moments(source_lab, core)
    target_mean, target_spread = _moments(target_lab, core)
    gain = np.clip(target_spread / np.maximum(source_spread, 1e-3), *_SPREAD_BOUNDS)
    offset = target_mean - source_mean * gain
    matched = np.asarray(source_lab * gain + offset, np.float32)
    weight = small_mask * _likeness(target_lab, target_mean) * _likeness(matched, target_mean)
    slow = np.clip(_SLOW_SHARE * _slow(target_lab - matched, weight), -_SLOW_BOUND, _SLOW_BOUND)
    light = cv2.resize(np.asarray(slow + offset, np.float32), source.shape[1::-1])
    return np.clip(_rgb(np.asarray(_lab(source) * gain + light, np.float32)), 0, 1)


def _lab(rgb: Rgb) -> NDArray[np.float32]:
    """Return L in 0..100, a and b in about -127..127."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), np.float32)


def _moments(lab: NDArray[np.float32], weight: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    share = (weight / weight.sum())[..., None]
    mean = (lab * share).sum(axis=(0, 1))
    spread = np.sqrt((((lab - mean) ** 2) * share).sum(axis=(0, 1)))
    return mean.astype(np.float32), spread.astype(np.float32)


def _likeness(lab: NDArray[np.float32], mean: NDArray[np.float32]) -> Mask:
    """Return weights (S, S) in 0.05..1 that fall with the distance from the typical skin."""
    apart = (lab - mean) * np.array([0.5, 1.0, 1.0], np.float32)
    distance = (apart * apart).sum(axis=2) / _FOREIGN**2
    return np.asarray(np.maximum(np.exp(-2 * distance), 0.05), np.float32)


def _rgb(lab: NDArray[np.float32]) -> Rgb:
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.float32)


def _slow(difference: NDArray[np.float32], weight: Mask) -> NDArray[np.float32]:
    """Return a wide blur of `difference` (S, S, 3) that looks only where `weight` is."""
    blurred = _blurred(difference * weight[..., None])
    reach = _blurred(weight)
    return np.asarray(blurred / np.maximum(reach, 1e-3)[..., None], np.float32)


def _blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    sigma = _SLOW_SIGMA * values.shape[0]
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def _shrunk(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a crop or mask at the size at which light and colour are judged: neither needs more."""
    return np.asarray(cv2.resize(values, (_JUDGED_PX, _JUDGED_PX), interpolation=cv2.INTER_AREA), np.float32)
