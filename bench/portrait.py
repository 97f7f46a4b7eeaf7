"""`portrait` on a clip: is a face fused in every frame, and is all the rest the input's own?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench.clips import SOURCE, portrait_clip
from bench.farm_process import RunningFarm
from bench.results import write
from workers.face.pyramid import Pyramid, shrunk
from workers.models.mtcnn_cascade import LONGEST_SIDE_PX, FaceFinder

#: A face's box is grown by this share of its size on every side: chin, cheeks and forehead lie around it.
MARGIN = 0.5
CLAIM = (
    "`farm render --engine portrait --lossless`: frames with a fused face, and samples that differ from the "
    "input's outside the face's box grown by half (decoded by FFmpeg's libraries, luma and chroma)."
)


def main(clip: Path | None = None) -> None:
    """Measure; write bench/results/portrait.json."""
    import os

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        clips = {"portrait moving, 720p25, 4 s": portrait_clip(folder / "clip.mp4", seconds=4)}
        if clip is not None:
            clips[clip.name] = clip
        source = Path(os.environ.get("BENCH_SOURCE") or SOURCE)
        farm = RunningFarm(folder, {**os.environ, "FARM_HOME": str(folder / "home")})
        write("portrait", CLAIM, [_row(farm, folder, *item, source) for item in clips.items()])


def _row(farm: RunningFarm, folder: Path, title: str, path: Path, source: Path) -> dict[str, Any]:
    output = folder / "out.mov"
    result = farm.render(
        str(path), "--source", str(source), "--lossless", "--overwrite", "--private", "-o", str(output)
    )
    finder, outside, shares = FaceFinder(), 0, []
    for before, after in zip(_frames(path), _frames(output), strict=True):
        changed = np.abs(before.to_ndarray().astype(int) - after.to_ndarray().astype(int)) > 0
        luma = changed[: before.height]
        keep = _boxes(finder, before)
        shares.append(luma.mean())
        outside += int((luma & ~keep).sum())
        chroma = changed[before.height :].reshape(2, before.height // 2, before.width // 2)
        outside += int((chroma & ~keep[::2, ::2]).sum())
    return {
        "clip": title,
        "source": source.name,
        "frames": result["frames"],
        "fused": result["frames_fused"],
        "least changed share of a frame": float(min(shares)),
        "largest": float(max(shares)),
        "samples changed outside": outside,
        "fps": result["fps"],
    }


def _boxes(finder: FaceFinder, frame: av.VideoFrame) -> np.ndarray:
    small, factor = shrunk(frame.to_ndarray(format="rgb24"), LONGEST_SIDE_PX)
    near = np.zeros((frame.height, frame.width), bool)
    for face in finder.find(Pyramid(small)):
        x0, y0, x1, y1 = (value / factor for value in face.box)
        width, height = (x1 - x0) * MARGIN, (y1 - y0) * MARGIN
        rows = slice(max(0, int(y0 - height)), int(y1 + height) + 1)
        near[rows, max(0, int(x0 - width)) : int(x1 + width) + 1] = True
    return near


def _frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


if __name__ == "__main__":
    main()
