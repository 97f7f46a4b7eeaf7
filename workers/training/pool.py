"""A pool of drawn pictures, from which every step's exercises are made afresh."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workers.training.noise import Picture, smooth_noise
from workers.training.pairs import Pair, Trio, crossed, draw_trio, mirrored, self_blended
from workers.training.portraits import aligned_pose
from workers.training.recolour import recolour
from workers.training.shape import sample_pose

CROSSED_SHARE = 0.45
ABSTRACT_SHARE = 0.12  # no face at all: what the network learns must not be how drawn skin looks
PHOTO_SHARE = 0.25  # of the self-blended ones, when there are photographs
_CAMERA = 0.6  # strength of the recolouring that makes another camera's picture of a whole picture
_OCTAVES = (2, 5, 11, 24, 48)


@dataclass(frozen=True, slots=True)
class Pool:
    """Where exercises come from. The same seed and step always give the same exercises."""

    trios: tuple[Trio, ...]
    seed: int
    photos: tuple[Picture, ...] = field(default=())

    def pairs(self, step: int, count: int) -> list[Pair]:
        """Return `count` exercises of all kinds for a training step."""
        rng = np.random.default_rng([self.seed, step])
        return [self._pair(rng) for _ in range(count)]

    def _pair(self, rng: np.random.Generator) -> Pair:
        pair = self._upright(rng)
        return mirrored(pair) if rng.random() < 0.5 else pair  # noqa: PLR2004 - as often as not

    def _upright(self, rng: np.random.Generator) -> Pair:
        kind = rng.random()
        trio = self.trios[int(rng.integers(len(self.trios)))]
        if kind < CROSSED_SHARE:
            return crossed(trio, rng)
        if kind < CROSSED_SHARE + ABSTRACT_SHARE:
            return self_blended(draw_abstract(rng, trio.target.shape[0]), sample_pose(rng), rng)
        if self.photos and rng.random() < PHOTO_SHARE:
            photo = self.photos[int(rng.integers(len(self.photos)))]
            return self_blended(recolour(photo, rng, _CAMERA), aligned_pose(), rng)
        picture = (trio.target, trio.source, trio.truth)[int(rng.integers(3))]
        return self_blended(recolour(picture, rng, _CAMERA), trio.pose, rng)


def draw_pool(seed: int, count: int, size_px: int, photos: tuple[Picture, ...] = ()) -> Pool:
    """Draw `count` trios of size_px x size_px pictures."""
    trios = tuple(draw_trio(np.random.default_rng([seed, index]), size_px) for index in range(count))
    return Pool(trios, seed, photos)


def draw_abstract(rng: np.random.Generator, size_px: int) -> Picture:
    """Return clouds of colour of many sizes, (size_px, size_px, 3) in [0, 1]."""
    grey = np.zeros((size_px, size_px, 1), np.float32)
    tint = np.zeros((size_px, size_px, 3), np.float32)
    for cells in _OCTAVES:
        falloff = (2.0 / cells) ** rng.uniform(0.2, 0.9)
        grey += np.float32(0.16 * falloff) * smooth_noise(rng, size_px, (cells, cells))[..., None]
        tint += np.float32(0.07 * falloff) * smooth_noise(rng, size_px, (cells, cells), 3)
    level = rng.uniform(0.2, 0.75) + rng.normal(0.0, 0.12, 3)
    return np.asarray(np.clip(level.astype(np.float32) + grey + tint, 0.0, 1.0), np.float32)
