"""Does the seam of a fused face flicker on a moving clip, and do its colours fit? Beside Poisson's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.clips import SOURCE, TARGET
from bench.results import write
from broker.messages import FuseSpec
from workers.frames import Frame
from workers.swappers.portrait import PortraitSwapper

CLAIM = (
    "`portrait` on a head that moves and turns under sensor noise of 4 levels, 512 x 512, in each mode. "
    "Frames are turned back by the known motion; flicker is the standard deviation over time of the "
    "smoothed luma (8-bit levels), mean over the ring in which the mask rises, beside the input's own "
    "there. Aim: normal under blend, which is Poisson's. dE: CIE76 between the low-passed fused and "
    "original face, mean under the mask."
)
NUM_FRAMES = 32
SIDE_PX = 512
NOISE = 4.0
SMOOTH_PX = 3.0  # of the luma: flicker that is seen is wider than grain
RING_PX = 15  # what the mask takes to rise, at this size of face
LOW_PASS_PX = 16.0

Picture = NDArray[np.float32]  # (H, W, 3) in levels


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/flicker.json."""
    del clip  # the motion must be known
    swapper, rows = PortraitSwapper(), []
    for target, source in ((TARGET, SOURCE), (SOURCE, TARGET)):
        prepared = swapper.prepare(source.read_bytes(), FuseSpec(engine="portrait"))
        given = [turned_back(frame, i) for i, frame in enumerate(moving(target))]
        for mode in ("normal", "blend", "overlay"):
            frames = swapper.run(moving(target), prepared, FuseSpec(engine="portrait", mode=mode))
            fused = [turned_back(frame, i) for i, frame in enumerate(frames)]
            row = {"target": target.stem, "source": source.stem, "mode": mode}
            rows.append({**row, **figures(given, fused)})
    write("flicker", CLAIM, rows)


def figures(given: list[Picture], fused: list[Picture]) -> dict[str, Any]:
    inside = np.mean([np.abs(a - b).max(axis=2) > 0 for a, b in zip(given, fused, strict=True)], axis=0) > 0.5
    core = cv2.erode(inside.astype(np.uint8), np.ones((RING_PX, RING_PX))) > 0
    ring = inside & ~core
    low = [_lab(cv2.GaussianBlur(frames[0], (0, 0), LOW_PASS_PX)) for frames in (given, fused)]
    return {
        "flicker, levels": float(_over_time(fused)[ring].mean()),
        "input's own": float(_over_time(given)[ring].mean()),
        "dE under the mask": float(np.linalg.norm(low[0] - low[1], axis=2)[core].mean()),
    }


def _over_time(pictures: list[Picture]) -> NDArray[np.float32]:
    luma = [cv2.GaussianBlur(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (0, 0), SMOOTH_PX) for one in pictures]
    return np.asarray(np.std(luma, axis=0), np.float32)


def _motion(index: int, height: int, width: int) -> NDArray[np.float32]:
    """Return how frame `index` maps the portrait to the picture: a nod, a turn and a step, slowly."""
    turn, scale = math.radians(5 * math.sin(index / 5)), SIDE_PX / min(height, width) * 1.1
    a, b = scale * math.cos(turn), scale * math.sin(turn)
    x, y = SIDE_PX / 2 + 16 * math.sin(index / 4), SIDE_PX / 2 + 8 * math.cos(index / 6)
    middle = (width / 2, height * 0.45)
    return np.array(
        [[a, -b, x - a * middle[0] + b * middle[1]], [b, a, y - b * middle[0] - a * middle[1]]], np.float32
    )


def moving(target: Path) -> Iterator[Frame]:
    portrait, dice = cv2.imread(str(target))[..., ::-1], np.random.default_rng(11)
    for index in range(NUM_FRAMES):
        matrix = _motion(index, *portrait.shape[:2])
        level = cv2.warpAffine(portrait, matrix, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REFLECT)
        noisy = np.clip(np.rint(level + dice.normal(0, NOISE, level.shape)), 0, 255).astype(np.uint8)
        yield Frame(picture=av.VideoFrame.from_ndarray(noisy, format="rgb24"), index=index, pts=index)


def turned_back(frame: Frame, index: int) -> Picture:
    """Return a frame as the first one would show it."""
    shape = (SIDE_PX, SIDE_PX)
    first, here = (_square(_motion(i, *shape)) for i in (0, index))
    back = (first @ np.linalg.inv(here))[:2]
    picture = frame.picture.to_ndarray(format="rgb24").astype(np.float32)
    return np.asarray(cv2.warpAffine(picture, back, shape, borderMode=cv2.BORDER_REFLECT), np.float32)


def _square(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.vstack([matrix.astype(np.float64), [0, 0, 1]])


def _lab(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)


if __name__ == "__main__":
    main()
