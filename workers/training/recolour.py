"""Changes a picture's colours as another camera, another light or another skin would."""

from __future__ import annotations

import cv2
import numpy as np

from workers.training.noise import Picture, smooth_noise

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601
_MID = 0.45  # contrast turns about it: a usual face's mean in sRGB


def recolour(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """Return `picture`, (S, S, 3) in [0, 1], recoloured; `strength` 0 changes nothing, 1 is severe.

    Gain, bias and gamma for each channel, then contrast, saturation, a ramp of light across, and softness:
    what self-blended images (Shiohara and Yamasaki, CVPR 2022) and the harmonisation literature vary.
    """
    amount = np.float32(strength)
    gain = np.exp(amount * (rng.normal(0, 0.22) + rng.normal(0, 0.1, 3))).astype(np.float32)
    bias = (amount * (rng.normal(0, 0.04) + rng.normal(0, 0.025, 3))).astype(np.float32)
    gamma = np.exp(amount * (rng.normal(0, 0.2) + rng.normal(0, 0.05, 3))).astype(np.float32)
    changed = np.clip(np.power(picture, gamma) * gain + bias, 0.0, 1.0)
    changed = (changed - _MID) * np.float32(np.exp(amount * rng.normal(0, 0.15))) + np.float32(_MID)
    luma = (changed @ _LUMA)[..., None]
    changed = luma + (changed - luma) * np.float32(np.exp(amount * rng.normal(0, 0.25)))
    changed = changed * _ramp(rng, picture.shape[0], strength)
    return np.clip(_softened(changed, rng, strength), 0.0, 1.0).astype(np.float32)


def _ramp(rng: np.random.Generator, size_px: int, strength: float) -> Picture:
    """Return (S, S, 1) factors: light that falls off across the picture, and unevenly."""
    across = np.linspace(-1.0, 1.0, size_px, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * across[None, :] + np.sin(angle) * across[:, None]
    uneven = smooth_noise(rng, size_px, (3, 3))
    exponent = strength * (rng.normal(0, 0.15) * slope + rng.normal(0, 0.05) * uneven)
    return np.asarray(np.exp(exponent)[..., None], np.float32)


def _softened(picture: Picture, rng: np.random.Generator, strength: float) -> Picture:
    if rng.random() > 0.3 * strength:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0)), np.float32)
