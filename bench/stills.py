"""One picture after another through each engine: what a user of a picture tool would compare."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch

from bench.clips import SOURCE, TARGET
from bench.machine import resident_mb
from bench.results import write
from broker.installed import ModelStore
from broker.messages import FuseSpec
from farm.fusing import PRESETS
from farm.modelstore.arrival import Introduction, add
from workers.frames import Frame
from workers.swappers import open_swapper

CLAIM = (
    "One square picture with one face again and again, a process a row, one thread: from the decoded picture "
    "to the fused one, detection included; no farm, no file. Seconds are the processor's, so other work on "
    "the machine counts little. `first output`: from the start of the process, which loads Python, its "
    "libraries and the networks. `picture 1`: the portrait looked at, too; the others have it. Memory is the "
    "process's (resident set): `idle` before the first picture, `peak` the highest in any run, `fluctuation` "
    "half of what the runs' peaks differ by. The swap networks are stand-ins of inswapper's shape with "
    "random weights."
)
RUNS = 50
FEW = 7
_NAMES = {"skin_smoothing": "smoothing"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one row measures. `width` is that of a stand-in network; 0 is the `portrait` engine."""

    part: str
    title: str
    side_px: int
    width: int = 0
    runs: int = FEW
    spec: dict[str, Any] = field(default_factory=dict)


def cases() -> list[Case]:
    return [
        Case(part="engines", title="portrait", side_px=1024, runs=RUNS),
        Case(part="engines", title="swap network, 3.8 M weights", side_px=1024, width=128, runs=RUNS),
        Case(part="engines", title="swap network, 138 M weights", side_px=1024, width=1024, runs=FEW),
        *(Case(part="sizes", title="portrait", side_px=side) for side in (512, 1024, 1536, 2048, 2560)),
        *(
            Case(part="presets", title=name, side_px=int(said["resolution"]), spec=_spec(said))
            for name, said in PRESETS.items()
        ),
        *(
            Case(part="smoothing", title=str(share), side_px=1024, spec={"smoothing": share})
            for share in (0.0, 0.4)
        ),
        *(
            Case(part="modes", title=mode, side_px=2048, spec={"mode": mode})
            for mode in ("normal", "blend", "overlay")
        ),
    ]


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/stills.json."""
    del clip  # these are pictures
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        store = ModelStore(folder / "models")
        from bench import standin

        recogniser = standin.recogniser(folder / "w600k_r50.onnx")
        add(store, recogniser, Introduction(name="recogniser", contract="arcface"))
        for case in cases():
            if case.width:
                _install(folder, store, case.width)
            command = [sys.executable, "-m", "bench.stills", name, json.dumps(asdict(case))]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout))
            print(rows[-1], flush=True)
    write("stills", CLAIM, rows)


def measure(folder: Path, case: Case) -> dict[str, Any]:
    """Do one case in this process."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    store = ModelStore(folder / "models")
    swapper = open_swapper(f"standin-{case.width}" if case.width else "portrait", store)
    swapper.warm()
    idle_mb, spec = resident_mb("VmRSS"), FuseSpec(engine=swapper.name, **case.spec)
    began = time.process_time()
    source, times, peaks = swapper.prepare(SOURCE.read_bytes(), spec), [], []
    looked_s = time.process_time() - began
    first_s = 0.0
    for index in range(case.runs):
        frame = _frame(case.side_px, index)
        resident_mb("VmRSS", reset=True)
        began = time.process_time()
        (fused,) = swapper.run([frame], source, spec)
        times.append(time.process_time() - began)
        first_s = first_s or time.process_time()
        peaks.append(resident_mb("VmHWM"))
        assert fused.num_faces == 1
    return {
        "part": case.part,
        "what": case.title,
        "side, px": case.side_px,
        "runs": case.runs,
        "mean s": statistics.mean(times[1:]),
        "P95 s": sorted(times[1:])[int(0.95 * (len(times) - 1))],
        "picture 1, s": looked_s + times[0],
        "first output, s": first_s,
        "idle MB": idle_mb,
        "peak MB": max(peaks),
        "fluctuation, MB": (max(peaks[1:]) - min(peaks[1:])) / 2,
    }


def _install(folder: Path, store: ModelStore, width: int) -> None:
    """Make a stand-in network, and install it; its name says its width."""
    from bench import standin

    path = standin.inswapper(folder / f"standin-{width}.onnx", width)
    add(store, path, Introduction(name=path.stem, contract="inswapper"))
    path.unlink()


def _frame(side_px: int, index: int) -> Frame:
    portrait = cv2.imread(str(TARGET))[:512, :, ::-1]
    picture = np.asarray(cv2.resize(portrait, (side_px, side_px), interpolation=cv2.INTER_CUBIC))
    return Frame(picture=av.VideoFrame.from_ndarray(picture, format="rgb24"), index=index, pts=index)


def _spec(said: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, name): value for name, value in said.items() if name != "resolution"}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(Path(sys.argv[1]), Case(**json.loads(sys.argv[2])))))
    else:
        main()
