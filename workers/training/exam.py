"""The held-out exercises, and what a network or a rival scores on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from workers.models.unet import FusionUNet
from workers.training.batches import to_batch
from workers.training.noise import Picture
from workers.training.pairs import Pair, crossed, draw_trio, self_blended
from workers.training.portraits import aligned_pose, crop_portrait
from workers.training.scores import Score, mean_score, score

EXAM_SEED = 71_000_003  # far from any training seed: no trio is ever drawn twice
Settle = Callable[[Pair], Picture]


def drawn_exams(count: int, size_px: int) -> dict[str, list[Pair]]:
    """Return `count` self-blended and `count` crossed exercises with people who are never trained on."""
    recoloured, exchanged = [], []
    for index in range(count):
        rng = np.random.default_rng([EXAM_SEED, index])
        trio = draw_trio(rng, size_px)
        recoloured.append(self_blended(trio.target, trio.pose, rng))
        exchanged.append(crossed(trio, rng))
    return {"drawn, recoloured": recoloured, "drawn, other person": exchanged}


def photo_exam(path: Path, count: int, size_px: int) -> list[Pair]:
    """Return `count` recolourings of the face in a photograph.

    Raises:
        NotAPicture: it cannot be read.
        NoFaceFound: it shows no face.
    """
    crop = crop_portrait(path, size_px)
    return [self_blended(crop, aligned_pose(), np.random.default_rng([EXAM_SEED, i])) for i in range(count)]


def by_network(network: FusionUNet) -> Settle:
    """Return the network as a way to settle one pair."""

    def settle(pair: Pair) -> Picture:
        # Quantized convolutions have no parameters of torch's: they are on the CPU.
        device = next((one.device for one in network.parameters()), torch.device("cpu"))
        batch = to_batch([pair], device)
        with torch.inference_mode():
            fused = network(batch.x, batch.mask, batch.target)
        return np.ascontiguousarray(fused[0].permute(1, 2, 0).cpu().numpy())

    return settle


def examine(settle: Settle, exam: list[Pair]) -> Score:
    """Return the mean score over an exam."""
    return mean_score([score(settle(pair), _answer(pair), pair.mask) for pair in exam])


def _answer(pair: Pair) -> Picture:
    mask = pair.mask[..., None]
    return np.asarray(mask * pair.truth + (1.0 - mask) * pair.target, np.float32)
