"""A contact sheet: exercises as rows, so that a person can see what the numbers do not say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from workers.training.exam import Settle
from workers.training.noise import Picture
from workers.training.pairs import Pair
from workers.training.rivals import composite

_GAP_PX = 4


def write_sheet(path: Path, exams: Sequence[Sequence[Pair]], ways: Sequence[Settle], num_rows: int) -> None:
    """Write a PNG: each exam a block of `num_rows` rows; target, then each way's result, then the answer."""
    blocks = [np.vstack([_row(pair, ways) for pair in exam[:num_rows]]) for exam in exams]
    height = num_rows * blocks[0].shape[0] // num_rows
    gap = np.ones((height, _GAP_PX, 3), np.float32)
    columns = [part for block in blocks for part in (block, gap)][:-1]
    sheet = np.round(np.hstack(columns) * 255.0).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet[..., ::-1])


def _row(pair: Pair, ways: Sequence[Settle]) -> Picture:
    return np.hstack([pair.target, *(way(pair) for way in ways), composite(pair.truth, pair)])
