"""Swap networks in the farm, against a plain loop and against the network by itself."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from bench import standin
from bench.clips import SOURCE, portrait_clip
from bench.farm_process import RunningFarm, running_farm
from bench.plain_swap import FED, PlainLoop, session, speed
from bench.results import write
from broker.installed import ModelStore
from farm.modelstore.arrival import Introduction, add
from workers.analysers.opening import Analysers
from workers.face.track import Finder
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.openvino_runner import OpenVinoRunner

CLAIM = (
    "A stand-in inswapper (random weights) on a 1080p clip, one face a frame, one thread for the network in "
    "all three: the farm with one worker, from submission to the finished file; a plain loop (OpenCV, "
    "insightface's INSwapper, ffmpeg; the same detector and encoder); the network alone in a loop. Aims: 1.5 "
    "of the plain loop, 0.95 of the network. `most possible` is what the farm would reach of the plain loop "
    "if nothing but the network took time: the network alone against the plain loop. The plain loop and "
    "`network_fps` are always onnxruntime's float32; `own_network_fps` is the network alone as the farm runs "
    "it, in 16 bits by OpenVINO where the row says so (`inference.amp_enabled`, and a processor with bf16), "
    "and `apart` how far its crops then lie from float32's, of 255: in mean, and the worst. The first rows "
    "have the true network's size; in the last the network is so small that all else shows, as on a GPU. Run "
    "in turn, the best of each. BENCH_SCRFD names an SCRFD detector of your own, to be used in both in the "
    "place of the farm's MTCNN. Where `load` is far above 2, other work took the cores: such figures are to "
    "be taken again on a quiet machine."
)


@dataclass(frozen=True)
class Case:
    """One row. Of the true size there are enough frames that beginning and end count for little."""

    title: str
    width: int  # channels
    half: bool  # in 16 bits
    seconds: float  # of video
    crops: int  # for the network alone
    rounds: int

    @property
    def name(self) -> str:
        return f"standin-{self.width}{'-half' * self.half}"


CASES = (
    Case("true size, 138 M weights", standin.TRUE_WIDTH, False, 4.0, 3, 1),
    Case("true size, 138 M weights, 16 bits", standin.TRUE_WIDTH, True, 4.0, 3, 1),
    Case("an eighth as wide, 3.8 M weights", standin.TRUE_WIDTH // 8, False, 2.4, 40, 2),
)
_FIRST_S = 0.2

#: Of a longer video the plain loop renders the beginning: it has no start or end to speak of.
_PLAIN_S = 1.5


def main(_clip: Path | None = None) -> None:
    """Measure both; write bench/results/swap-speed.json."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        store = ModelStore(folder / "models")
        recogniser = standin.recogniser(folder / "w600k_r50.onnx")
        add(store, recogniser, Introduction(name="recogniser", contract="arcface"))
        if own := os.environ.get("BENCH_SCRFD"):
            add(store, Path(own), Introduction(name="scrfd", contract="insightface"))
        finder = Analysers(FaceFinder(), store).finder("scrfd" if own else "mtcnn")
        write("swap-speed", CLAIM, [_row(folder, store, finder, case) for case in CASES])


def _row(folder: Path, store: ModelStore, finder: Finder, case: Case) -> dict[str, object]:
    path = standin.inswapper(folder / f"{case.name}.onnx", case.width)
    engine = add(store, path, Introduction(name=path.stem, contract="inswapper")).name
    analyser = "mtcnn" if isinstance(finder, FaceFinder) else "scrfd"
    wanted = ("--source", str(SOURCE), "--engine", engine, "--overwrite", "--analyser", analyser)
    wanted += ("--chunk-seconds", "60", "-o", str(folder / "farm.mp4"))
    clip, begin, short = (
        _video(folder, each) for each in (case.seconds, min(case.seconds, _PLAIN_S), _FIRST_S)
    )
    plain = PlainLoop(path, finder, threads=1)
    best = dict.fromkeys(("farm_fps", "plain_fps", "network_fps", "own_network_fps"), 0.0)
    with _farm(folder, store, case) as farm:
        farm.render(str(short), *wanted)  # the worker opens the network in its first job
        for _ in range(case.rounds):
            done = farm.render(str(clip), *wanted)
            alone = speed(session(path, 1), case.crops)
            measured = {
                "farm_fps": done["frames"] / done["seconds"],
                "plain_fps": plain.render(begin, SOURCE, folder / "plain.mp4"),
                "network_fps": alone,
                "own_network_fps": speed(_halved(path), case.crops) if case.half else alone,
            }
            best = {name: max(best[name], fps) for name, fps in measured.items()}
    apart = _apart(path) if case.half else {}
    path.unlink()
    return {
        "network": case.title,
        "detector": analyser,
        "frames": done["frames"],
        "runs": case.rounds,
        **best,
        "farm / plain": best["farm_fps"] / best["plain_fps"],
        "farm / network": best["farm_fps"] / best["network_fps"],
        "farm / own network": best["farm_fps"] / best["own_network_fps"],
        "most possible": best["own_network_fps"] / best["plain_fps"],
        **apart,
        "load": os.getloadavg()[0],
    }


def _video(folder: Path, seconds: float) -> Path:
    return portrait_clip(folder / f"{seconds}.mp4", seconds=seconds, size="1920x1080")


def _farm(folder: Path, store: ModelStore, case: Case) -> AbstractContextManager[RunningFarm]:
    settings = folder / f"{case.name}.yaml"
    settings.write_text(f"inference: {{amp_enabled: {str(case.half).lower()}}}")
    told = {"FARM_MODELS": str(store.directory), "FARM_WORKER_SETTINGS": str(settings)}
    told |= {"OMP_NUM_THREADS": "1", "FARM_WORKER_WARM": case.name}
    home = folder / f"farm-{case.name}"
    return running_farm(home, "--workers", "1", "--gpus", "none", timeout_s=300, **told)


def _halved(path: Path) -> OpenVinoRunner:
    return OpenVinoRunner(path, threads=1, half=True)


def _apart(path: Path) -> dict[str, float]:
    """Return how far what 16 bits paint lies from float32's, of 255."""
    (exact,) = session(path, 1).run(None, FED)
    (half,) = _halved(path).run(FED)
    apart = np.abs(half - exact) * 255
    return {"apart, mean": float(apart.mean()), "apart, worst": float(apart.max())}


if __name__ == "__main__":
    main()
