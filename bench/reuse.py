"""What it brings, and costs, to let a face's colour transforms hold for some frames."""

from __future__ import annotations

import functools
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.clips import SOURCE, TARGET
from bench.flicker import NUM_FRAMES, figures, moving, turned_back
from bench.results import write
from broker.messages import FuseSpec
from workers.engine.fusion import FusionEngine
from workers.masking.masks import Masks
from workers.masking.outliner import Outliner
from workers.models.weights import load_fusion
from workers.swappers.anchors import LEAD
from workers.swappers.calm import calmed
from workers.swappers.contract import Source
from workers.swappers.following import Sight, sights
from workers.swappers.portrait import PortraitSwapper, fusing

CLAIM = (
    "`inference.reuse_threshold`: a face's thumbnail is compared with that in the first frame of its block "
    "of 5; where it differs by less than the threshold, in mean as a share of the range, that frame's colour "
    "transforms are used, and no convolution is run. On a head that moves under noise, as in `flicker`, "
    "against single crops without reuse, a processor's milliseconds. `context`: what it costs, of the same "
    "time, that chunks of 125 frames bring 4 frames more on either side, and fuse one of them, lest their "
    "borders show."
)
CHUNK_FRAMES = 125
THRESHOLDS = (0.0, 0.002, 0.01, 0.15)
ROUNDS = 5
SPEC = FuseSpec(engine="portrait")


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/reuse.json."""
    del clip  # the motion must be known
    torch.set_num_threads(1)
    swappers = {threshold: _swapper(threshold) for threshold in THRESHOLDS}
    swapper = swappers[0.0]
    source = swapper.prepare(SOURCE.read_bytes(), SPEC)
    given = [turned_back(frame, index) for index, frame in enumerate(moving(TARGET))]
    began_s = time.process_time()
    seen = list(sights(moving(TARGET), swapper._finder, which="all"))  # noqa: SLF001
    looking_ms = (time.process_time() - began_s) / NUM_FRAMES * 1e3
    found = {threshold: _fused(one, seen, source) for threshold, one in swappers.items()}
    taken: dict[float, list[float]] = {threshold: [] for threshold in THRESHOLDS}
    for _ in range(ROUNDS):  # in turn
        for threshold, one in swappers.items():
            taken[threshold].append(_fused(one, seen, source)[1])
    exact, exact_ms = np.stack(found[0.0][0]), statistics.median(taken[0.0])
    context = (2 * LEAD * looking_ms + exact_ms) / CHUNK_FRAMES
    rows: list[dict[str, Any]] = []
    for threshold, (frames, _, share) in found.items():
        error, ms = np.abs(np.stack(frames) - exact), statistics.median(taken[threshold])
        rows.append(
            {
                "threshold": threshold,
                "reused": share,
                "ms a frame": looking_ms + ms,
                "saved, %": 100 * (exact_ms - ms) / (looking_ms + exact_ms),
                "context, %": 100 * context / (looking_ms + exact_ms) if threshold else 0.0,
                "max error, of 255": float(error.max()),
                "mean error where any": float(error[error > 0].mean()) if error.any() else 0.0,
                "flicker, levels": figures(given, frames)["flicker, levels"],
            }
        )
    write("reuse", CLAIM, rows)


def _swapper(threshold: float) -> PortraitSwapper:
    return PortraitSwapper(fusion=FusionEngine(load_fusion(), torch.device("cpu"), reuse_threshold=threshold))


def _fused(
    swapper: PortraitSwapper, seen: list[Sight], source: Source
) -> tuple[list[NDArray[np.float32]], float, float]:
    """Return the frames, turned back; milliseconds a frame; the share of frames with reused transforms."""
    reuse = swapper.reuse(SPEC)
    work = functools.partial(fusing, source=source, fuse=SPEC, masks=Masks(), outliner=Outliner())
    began_s = time.process_time()
    frames = list(calmed(swapper.fused(seen, work, SPEC, reuse), ratio=1.0))
    ms = (time.process_time() - began_s) / len(seen) * 1e3
    share = 0.0 if reuse is None else reuse.num_reused / len(seen)
    return [turned_back(frame, index) for index, frame in enumerate(frames)], ms, share


if __name__ == "__main__":
    main()
