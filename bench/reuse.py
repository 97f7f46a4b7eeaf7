"""What it would bring, and cost, to let a face's colour transforms hold for some frames."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.clips import SOURCE, TARGET
from bench.flicker import NUM_FRAMES, figures, moving, turned_back
from bench.results import write
from broker.messages import FuseSpec
from workers.engine.fusion import FusionEngine
from workers.face.fuse import Crop, Likeness
from workers.masking.masks import Masks
from workers.media.planes import Rgb
from workers.models.network import Window
from workers.models.unet import FusionUNet, Survey, blur_inner
from workers.models.weights import load_fusion
from workers.swappers.calm import calmed
from workers.swappers.contract import Source
from workers.swappers.following import Sight, sights
from workers.swappers.passes import Passes
from workers.swappers.portrait import PortraitSwapper, fusing

CLAIM = (
    "The network's view of a face (its thumbnail) is compared with that in the first frame of a block of 5: "
    "where it differs by less than the threshold, in mean as a share of the range, that frame's colour "
    "transforms are used, and no convolution is run. On a head that moves under noise, as in `flicker`, "
    "against no reuse, a processor's milliseconds. `context`: what it costs, of the same time, that chunks "
    "of 125 frames must then bring 4 frames more on either side, lest their borders show."
)
BLOCK, CHUNK_FRAMES = 5, 125
THRESHOLDS = (0.0, 0.002, 0.01, 0.15)
ROUNDS = 5
SPEC = FuseSpec(engine="portrait")


class Reusing:
    """Fuses crops of one face, frame by frame, as the engine does; transforms hold for a while."""

    def __init__(self, network: FusionUNet, threshold: float) -> None:
        self._network = network
        self._threshold = threshold
        self._first: tuple[Tensor, Survey] | None = None
        self.num_reused = self._index = 0

    @torch.inference_mode()
    def __call__(self, crops: list[Crop]) -> list[Rgb]:
        (crop,) = crops
        sharp, placed, soft = (_tensor(part) for part in (crop.target, crop.source, crop.mask[..., None]))
        x, side_px = torch.cat([blur_inner(sharp, soft), placed], 1), crop.side_px
        survey, whole = self._survey(x, soft), Window(0, 0, side_px, side_px)
        fused = self._network.compose(x, soft, sharp, self._network.field(survey, x, soft, whole, side_px))
        return [np.ascontiguousarray(fused[0].permute(1, 2, 0).numpy())]

    def _survey(self, x: Tensor, mask: Tensor) -> Survey:
        starts, self._index = self._index % BLOCK == 0, self._index + 1
        if not self._threshold:
            return self._network.survey(x, mask)
        seen = self._network._thumbnail(x, mask, None)  # noqa: SLF001
        if not starts and self._first is not None:
            before, survey = self._first
            if float((seen - before).abs().mean()) < self._threshold:
                self.num_reused += 1
                return survey
        survey = self._network.survey(x, mask)
        self._first = (seen, survey) if starts else self._first
        return survey


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/reuse.json."""
    del clip  # the motion must be known
    torch.set_num_threads(1)
    swapper = PortraitSwapper(fusion=FusionEngine(load_fusion(), torch.device("cpu")))
    likeness = swapper.prepare(SOURCE.read_bytes(), SPEC).prepared
    given = [turned_back(frame, index) for index, frame in enumerate(moving(TARGET))]
    began_s = time.process_time()
    seen = list(sights(moving(TARGET), swapper._finder, which="all"))  # noqa: SLF001
    looking_ms = (time.process_time() - began_s) / NUM_FRAMES * 1e3
    found = {threshold: _fused(seen, likeness, threshold) for threshold in THRESHOLDS}
    taken: dict[float, list[float]] = {threshold: [] for threshold in THRESHOLDS}
    for _ in range(ROUNDS):  # in turn
        for threshold in THRESHOLDS:
            taken[threshold].append(_fused(seen, likeness, threshold)[1])
    exact, exact_ms = np.stack(found[0.0][0]), statistics.median(taken[0.0])
    context = (BLOCK - 1) * (2 * looking_ms + exact_ms) / CHUNK_FRAMES
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


def _fused(
    seen: list[Sight], likeness: Likeness, threshold: float
) -> tuple[list[NDArray[np.float32]], float, float]:
    """Return the frames, turned back; milliseconds a frame; the share of frames with reused transforms."""
    network = FusionEngine(load_fusion(), torch.device("cpu")).network
    assert isinstance(network, FusionUNet)
    run = Reusing(network, threshold)
    began_s = time.process_time()
    passes = Passes(run, size=1, kind_of=len).through(
        fusing(sight, Source(prepared=likeness), SPEC, Masks()) for sight in seen
    )
    frames = list(calmed(passes, ratio=1.0))
    ms = (time.process_time() - began_s) / len(seen) * 1e3
    return [turned_back(frame, index) for index, frame in enumerate(frames)], ms, run.num_reused / len(seen)


def _tensor(picture: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous()


if __name__ == "__main__":
    main()
