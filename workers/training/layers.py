"""Painting soft-edged shapes over one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from workers.training.noise import Picture


@dataclass(slots=True)
class Layers:
    """A picture being painted, in the coordinates of its face."""

    u: Picture  # (S, S) in face widths, growing rightwards
    v: Picture  # growing downwards
    edge: float  # the softness of an outline, in face widths
    colour: Picture  # (S, S, 3) linear RGB

    def paint(self, colour: ArrayLike, coverage: Picture) -> None:
        """Paint `colour`, (3,) or (S, S, 3), over it where `coverage`, (S, S), says so in [0, 1]."""
        over = np.asarray(colour, np.float32)
        self.colour = self.colour + coverage[..., None] * (over - self.colour)

    def painted(self, colour: ArrayLike, coverage: Picture) -> Self:
        """Return a copy that is painted."""
        copy = replace(self)
        copy.paint(colour, coverage)
        return copy


def ellipse(u: Picture, v: Picture, centre: tuple[float, float], radii: tuple[float, float]) -> Picture:
    """Return about the signed distance to an ellipse's outline, negative inside."""
    away = np.hypot((u - centre[0]) / radii[0], (v - centre[1]) / radii[1])
    return np.asarray((away - 1.0) * min(radii), np.float32)


def soft(distance: Picture, width: float) -> Picture:
    """Return coverage in [0, 1] for a signed distance: 1 inside, 0 outside, smooth across `width`."""
    ramp = np.clip(0.5 - distance / width, 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), np.float32)
