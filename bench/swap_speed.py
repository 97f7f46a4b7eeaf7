"""Swap networks in the farm, against a plain loop and against the network by itself."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from bench import standin
from bench.clips import SOURCE, portrait_clip
from bench.farm_process import running_farm
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

#: Title, channels, whether in 16 bits, seconds of video, crops for the network alone, rounds. Of the true
#: size there are enough frames that beginning and end, some seconds, count for no more than in a real video.
CASES = (
    ("true size, 138 M weights", standin.TRUE_WIDTH, False, 1.5, 3, 1),
    ("true size, 138 M weights, 16 bits", standin.TRUE_WIDTH, True, 6.0, 3, 1),
    ("an eighth as wide, 3.8 M weights", standin.TRUE_WIDTH // 8, False, 2.4, 40, 2),
)
_FIRST_S = 0.2


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
        write("swap-speed", CLAIM, [_row(folder, store, finder, *case) for case in CASES])


def _row(folder: Path, store: ModelStore, finder: Finder, title: str, *case: float) -> dict[str, object]:
    width, half, seconds, crops, rounds = case
    path = standin.inswapper(folder / f"standin-{width}{'-half' * int(half)}.onnx", int(width))
    settings = folder / f"{path.stem}.yaml"
    settings.write_text(f"inference: {{amp_enabled: {str(bool(half)).lower()}}}")
    engine = add(store, path, Introduction(name=path.stem, contract="inswapper")).name
    clip = portrait_clip(folder / f"{engine}.mp4", seconds=seconds, size="1920x1080")
    short = portrait_clip(folder / f"{engine}-short.mp4", seconds=_FIRST_S, size="1920x1080")
    plain = PlainLoop(path, finder, threads=1)
    farm_fps, plain_fps, alone_fps, own_fps = [], [], [], []
    options = ("--workers", "1", "--gpus", "none")
    told = {"FARM_MODELS": str(store.directory), "OMP_NUM_THREADS": "1", "FARM_WORKER_WARM": engine}
    told["FARM_WORKER_SETTINGS"] = str(settings)
    with running_farm(folder / f"farm-{engine}", *options, timeout_s=300, **told) as farm:
        for number in range(int(rounds) + 1):
            output = str(folder / "farm.mp4")
            arguments = ("--source", str(SOURCE), "--engine", engine, "--overwrite", "-o", output)
            analyser = "mtcnn" if isinstance(finder, FaceFinder) else "scrfd"
            video = str(clip if number else short)  # the worker opens the network in its first job
            done = farm.render(video, *arguments, "--chunk-seconds", "60", "--analyser", analyser)
            if number == 0:
                continue
            alone = speed(session(path, 1), int(crops))
            own = speed(OpenVinoRunner(path, threads=1, half=True), int(crops)) if half else alone
            farm_fps.append(done["frames"] / done["seconds"])
            plain_fps.append(plain.render(clip, SOURCE, folder / "plain.mp4"))
            alone_fps.append(alone)
            own_fps.append(own)
    apart = _apart(path) if half else {}
    path.unlink()
    best = {"farm_fps": max(farm_fps), "plain_fps": max(plain_fps), "network_fps": max(alone_fps)}
    best["own_network_fps"] = max(own_fps)
    return {
        "network": title,
        "detector": analyser,
        "frames": done["frames"],
        "runs": rounds,
        **best,
        "farm / plain": best["farm_fps"] / best["plain_fps"],
        "farm / network": best["farm_fps"] / best["network_fps"],
        "farm / own network": best["farm_fps"] / best["own_network_fps"],
        "most possible": best["own_network_fps"] / best["plain_fps"],
        **apart,
        "load": os.getloadavg()[0],
    }


def _apart(path: Path) -> dict[str, float]:
    """Return how far what 16 bits paint lies from float32's, of 255."""
    (exact,) = session(path, 1).run(None, FED)
    (half,) = OpenVinoRunner(path, threads=1, half=True).run(FED)
    apart = np.abs(half - exact) * 255
    return {"apart, mean": float(apart.mean()), "apart, worst": float(apart.max())}


if __name__ == "__main__":
    main()
