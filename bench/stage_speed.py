"""What restoring a face and enlarging a frame cost beside the networks that do it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from bench import standin
from bench.clips import SOURCE
from bench.results import write
from workers.face.pyramid import Pyramid
from workers.frames import Frame
from workers.masking.masks import Masks
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.onnx_session import Array, OnnxNetwork
from workers.stages.contracts import RESTORERS, UPSCALERS
from workers.stages.enlarging import enlarged
from workers.stages.restorer import Restorer
from workers.stages.restoring import restored
from workers.stages.upscaler import Upscaler

CLAIM = (
    "A stage on one frame of 720p with one face, one thread: processor time in all, of that in the network, "
    "and what is left for cutting out, joining tiles and writing the frame. The networks are stand-ins that "
    "do next to nothing, where the true ones take seconds: the last column is what stays, whatever the "
    "network, and bounds the frames a second of one worker on a fast GPU."
)
ROUNDS = 5


class _Timed:
    """A network whose own processor time is counted."""

    def __init__(self, network: OnnxNetwork) -> None:
        self.name, self.inputs, self.outputs = network.name, network.inputs, network.outputs
        self.spent_s = 0.0
        self._network = network

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        began = time.process_time()
        found = self._network.run(inputs)
        self.spent_s += time.process_time() - began
        return found


def main(_clip: Path | None = None) -> None:
    """Measure both stages; write bench/results/stage-speed.json."""
    cv2.setNumThreads(1)
    frame = _frame()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        large = _Timed(OnnxNetwork(standin.repeater(Path(name) / "large.onnx")))
        face = _Timed(OnnxNetwork(standin.restorer(Path(name) / "face.onnx")))
        upscaler = Upscaler(large, UPSCALERS["esrgan-x4"], tile_px=256)
        face_mask = Masks(has_box=True, has_hull=True)
        restorer = Restorer(face, RESTORERS["gfpgan"])
        rows = [
            _row("restore", face, lambda: restored(frame, restorer, face_mask, weight=0.8, fidelity=0.5)),
            _row("enlarge 4 times", large, lambda: enlarged(frame, upscaler)),
        ]
    write("stage-speed", CLAIM, rows)


def _frame() -> Frame:
    picture = cv2.resize(cv2.imread(str(SOURCE)), (1280, 720), interpolation=cv2.INTER_AREA)[..., ::-1]
    [face] = FaceFinder().find(Pyramid(np.ascontiguousarray(picture)))
    coded = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return Frame(
        picture=coded.reformat(format="yuv420p"), index=0, pts=0, num_faces=1, faces=(face.landmarks,)
    )


def _row(stage: str, network: _Timed, run: Callable[[], object]) -> dict[str, Any]:
    run()
    whole, inside = [], []
    for _ in range(ROUNDS):
        network.spent_s, began = 0.0, time.process_time()
        run()
        whole.append(time.process_time() - began)
        inside.append(network.spent_s)
    left = min(a - b for a, b in zip(whole, inside, strict=True))
    return {
        "stage": stage,
        "in all, s": min(whole),
        "network, s": min(inside),
        "beside it, s": left,
    }
