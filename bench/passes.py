"""A whole portrait render by the size of the fusion's passes: what company brings, beside all else."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch

from bench.clips import SOURCE, TARGET
from bench.results import write
from broker.messages import FuseSpec
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.frames import Frame
from workers.masking.masks import Masks
from workers.masking.outliner import Outliner
from workers.models.weights import load_fusion
from workers.swappers.calm import calmed
from workers.swappers.following import sights
from workers.swappers.portrait import PortraitSwapper, fusing

CLAIM = (
    "`portrait` on 1280 x 720 frames with moving faces: detection, tracking, placing, fusion and putting "
    "back on one thread, by the number of crops in one pass of the fusion network. Milliseconds of the "
    "processor a frame, medians, run in turn. `held`: frames that wait for company at most."
)
SIZES = (1, 2, 4)
NUM_FRAMES = 16
ROUNDS = 3
SPEC = FuseSpec(engine="portrait")


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/passes.json."""
    del clip  # the number of faces must be known
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    engines = {size: _engine(size) for size in SIZES}
    swappers = {size: PortraitSwapper(fusion=engine) for size, engine in engines.items()}
    write("passes", CLAIM, [row for faces, side in CASES for row in _rows(swappers, faces, side)])


#: Faces in a frame, and the side of the square picture that each is the middle of.
CASES = ((1, 200), (1, 700), (4, 200))


def _engine(size: int) -> FusionEngine:
    engine = FusionEngine(load_fusion(), torch.device("cpu"), first=Point(batch=size))
    engine.warm()
    return engine


def _rows(swappers: dict[int, PortraitSwapper], num_faces: int, side_px: int) -> list[dict[str, Any]]:
    frames = [_frame(index, num_faces, side_px) for index in range(NUM_FRAMES)]
    source = swappers[1].prepare(SOURCE.read_bytes(), SPEC)
    began_s = time.process_time()
    seen = list(sights(frames, swappers[1]._finder, which="all"))  # noqa: SLF001
    looking_s = time.process_time() - began_s
    taken: dict[int, list[float]] = {size: [] for size in swappers}
    for _ in range(ROUNDS):
        for size, swapper in swappers.items():
            began_s = time.process_time()
            works = (fusing(sight, source, SPEC, Masks(), Outliner()) for sight in seen)
            fused = list(calmed(swapper._passes(SPEC).through(works), ratio=1.0))  # noqa: SLF001
            taken[size].append((looking_s + time.process_time() - began_s) / NUM_FRAMES * 1e3)
            assert [frame.num_faces for frame in fused] == [num_faces] * NUM_FRAMES
    alone = statistics.median(taken[1])
    return [
        {
            "faces": num_faces,
            "of, px": side_px,
            "crops a pass": size,
            "ms a frame": statistics.median(times),
            "over single crops": alone / statistics.median(times),
            "held": size - 1,
        }
        for size, times in taken.items()
    ]


def _frame(index: int, num_faces: int, side_px: int) -> Frame:
    """Return a grey frame with so many portraits side by side, each turning a little in its own time."""
    portrait = cv2.imread(str(TARGET))[:512, :, ::-1]
    scene = np.full((720, 1280, 3), 90, np.uint8)
    for place in range(num_faces):
        turn = cv2.getRotationMatrix2D((256, 256), 6 * np.sin(index / 5 + place), side_px / 512)
        turn[:, 2] += side_px / 2 - 256
        x, y = round(1280 * (place + 0.5) / num_faces - side_px / 2), 10
        scene[y : y + side_px, x : x + side_px] = cv2.warpAffine(
            portrait, turn, (side_px, side_px), borderMode=cv2.BORDER_REFLECT
        )
    return Frame(picture=av.VideoFrame.from_ndarray(scene, format="rgb24"), index=index, pts=index)


if __name__ == "__main__":
    main()
