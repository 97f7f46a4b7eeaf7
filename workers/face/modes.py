"""Classical ways to join a placed face to its target, beside the network's: gradients, or bands.

Both take a source in the target's colours and leave the target as it is where the mask is 0.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.face.mask import Mask

Rgb = NDArray[np.float32]  # (S, S, 3) in 0..1; S a power of two

_SWEEPS = 40  # a level: what the level above leaves to be done is fine, and done in a few
_COARSEST_PX = 8
_BANDS = 5  # from features down to 1/32 of the crop


def poisson(target: Rgb, source: Rgb, mask: Mask) -> Rgb:
    """Keep the source's gradients and the target's colours around it, feathered by the mask.

    Perez et al. 2003, "Poisson Image Editing", in its membrane form: what is added to the source is harmonic
    inside, and the difference of the two on the border.
    """
    inside = mask > 0
    inside[[0, -1]] = inside[:, [0, -1]] = False
    cloned = np.clip(source + membrane(target - source, inside), 0, 1)
    return np.asarray(target + mask[..., None] * (cloned - target), np.float32)


def multiband(target: Rgb, source: Rgb, mask: Mask) -> Rgb:
    """Mix each band of detail over a width of its own: broad light over the whole rim, fine detail at once.

    Burt & Adelson 1983, "A Multiresolution Spline with Application to Image Mosaics".
    """
    share = _gaussians(np.repeat(mask[..., None], 3, axis=2))
    bands = [a + w * (b - a) for a, b, w in zip(_bands(target), _bands(source), share, strict=True)]
    mixed = bands[-1]
    for band in bands[-2::-1]:
        mixed = _up(mixed, band.shape[0]) + band
    return np.asarray(np.where(mask[..., None] > 0, np.clip(mixed, 0, 1), target), np.float32)


def membrane(values: Rgb, inside: NDArray[np.bool_]) -> Rgb:
    """Return `values` (S, S, C) outside of `inside` (S, S), and the harmonic surface that they span in it.

    Coarse to fine; `inside` must not touch the border.
    """
    side_px = values.shape[0]
    if not inside.any():
        return values
    held = ~inside
    start = values * held[..., None]
    if side_px > _COARSEST_PX:
        start = _up_smooth(membrane(*_halved(values, held)), side_px)
    return _relaxed(np.where(inside[..., None], start, values).astype(np.float32), inside)


def _relaxed(surface: Rgb, inside: NDArray[np.bool_]) -> Rgb:
    """Return `surface` nearer to harmonic: Jacobi's iteration with Chebyshev's steps (Golub & Varga 1961)."""
    slowest = np.cos(np.pi / surface.shape[0]) ** 2
    before, speed = surface, 1.0
    for sweep in range(_SWEEPS):
        after = before + np.float32(speed) * (_neighbours(surface) - before)
        before, surface = surface, np.where(inside[..., None], after, surface)
        speed = 1 / (1 - slowest * speed / (2 if sweep == 0 else 4))
    return np.asarray(surface, np.float32)


def _halved(values: Rgb, held: NDArray[np.bool_]) -> tuple[Rgb, NDArray[np.bool_]]:
    """Return means over what is held of each 2 x 2 cell, and the cells that hold nothing."""
    half = (values.shape[1] // 2, values.shape[0] // 2)
    weight = cv2.resize(held.astype(np.float32), half, interpolation=cv2.INTER_AREA)
    total = cv2.resize(values * held[..., None], half, interpolation=cv2.INTER_AREA)
    return np.asarray(total / np.maximum(weight, 1e-6)[..., None], np.float32), weight == 0


def _neighbours(surface: Rgb) -> Rgb:
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    return np.asarray(cv2.filter2D(surface, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def _gaussians(picture: Rgb) -> list[Rgb]:
    levels = [picture]
    for _ in range(_BANDS):
        levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.float32))
    return levels


def _bands(picture: Rgb) -> list[Rgb]:
    levels = _gaussians(picture)
    return [a - _up(b, a.shape[0]) for a, b in pairwise(levels)] + [levels[-1]]


def _up(picture: Rgb, side_px: int) -> Rgb:
    return np.asarray(cv2.pyrUp(picture, dstsize=(side_px, side_px)), np.float32)


def _up_smooth(picture: Rgb, side_px: int) -> Rgb:
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.float32)
