"""How far a settled face is from its known answer, inside the mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.training.noise import Picture

# Of the mask: the feathered rim below it is nearly the target's own in any method, and would dilute it.
_INSIDE = 0.5


@dataclass(frozen=True, slots=True)
class Score:
    """Errors inside the mask: of one picture or a mean over many."""

    mse: float  # mean square error on the scale 0..255: the harmonisation literature's fMSE
    delta_e: float  # mean CIE 1976 colour difference
    cast: float  # the mean colour's distance in a*, b*: a visible tint from about 3


def score(fused: Picture, truth: Picture, mask: Picture) -> Score:
    """Compare two (S, S, 3) pictures in [0, 1] where `mask`, (S, S), is above one half."""
    inside = mask > _INSIDE
    error = (fused[inside] - truth[inside]) * 255.0
    difference = _lab(fused)[inside] - _lab(truth)[inside]
    return Score(
        mse=float((error**2).mean()),
        delta_e=float(np.linalg.norm(difference, axis=-1).mean()),
        cast=float(np.linalg.norm(difference.mean(axis=0)[1:])),
    )


def mean_score(scores: list[Score]) -> Score:
    """Return the mean of each error."""
    rows = np.array([(one.mse, one.delta_e, one.cast) for one in scores])
    mse, delta_e, cast = (float(value) for value in rows.mean(axis=0))
    return Score(mse, delta_e, cast)


def _lab(picture: Picture) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2LAB), np.float32)
