"""The farm's own detector against an SCRFD network, on a real clip: what each finds, how steady, how fast."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import torch

from bench.clips import portrait_clip
from bench.results import write
from workers.analysers.scrfd import ScrfdFinder
from workers.face.pyramid import Pyramid, shrunk
from workers.face.track import Finder
from workers.frames import Face
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX, FaceFinder

CLAIM = (
    "Frames of a clip in which each detector finds a face by itself (score 0.5 or more, no tracking), how "
    "its landmarks tremble before they are smoothed (RMS second difference, in pixels of the 1280 px picture "
    "that is searched), and milliseconds a frame on one thread. BENCH_SCRFD names its file, BENCH_CLIP a "
    "clip beside the portrait that a program moves."
)
LEAST_SCORE = 0.5
FRAMES = 60


def main(clip: Path | None = None) -> None:
    """Measure what is there; write bench/results/detectors.json."""
    torch.set_num_threads(1)
    finders: dict[str, Finder] = {"mtcnn": FaceFinder()}
    if own := os.environ.get("BENCH_SCRFD"):
        finders[Path(own).stem] = ScrfdFinder(Path(own))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = portrait_clip(Path(folder) / "moving portrait.mp4", seconds=2.4, size="1920x1080")
        rows = []
        for path in (made, *(() if clip is None else (clip,))):
            pictures = [Pyramid(shrunk(picture, LONGEST_SIDE_PX)[0]) for picture in _pictures(path)]
            rows += [_row(name, finder, path, pictures) for name, finder in finders.items()]
    write("detectors", CLAIM, rows)


def _pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        frames = zip(container.decode(video=0), range(FRAMES), strict=False)
        return [frame.to_ndarray(format="rgb24") for frame, _ in frames]


def _row(name: str, finder: Finder, path: Path, pictures: list[Pyramid]) -> dict[str, object]:
    finder.find(pictures[0])
    took, found = [], []
    for picture in pictures:
        began = time.perf_counter()
        faces = finder.find(picture)
        took.append(time.perf_counter() - began)
        found.append(max((f for f in faces if f.score >= LEAST_SCORE), key=lambda f: f.score, default=None))
    return {
        "clip": path.name,
        "detector": name,
        "frames": len(pictures),
        "frames with a face": sum(face is not None for face in found),
        "tremble, px": _tremble(found),
        "ms a frame, median": 1000 * float(np.median(took)),
    }


def _tremble(found: list[Face | None]) -> float:
    """Return the RMS second difference of the landmarks, over frames that have a face on both sides."""
    second = [
        a.landmarks - 2 * b.landmarks + c.landmarks
        for a, b, c in zip(found, found[1:], found[2:], strict=False)
        if a is not None and b is not None and c is not None
    ]
    return float(np.sqrt(np.mean(np.square(second)))) if second else float("nan")


if __name__ == "__main__":
    main()
