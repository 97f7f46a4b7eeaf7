"""What an enlarging network takes for a tile, beside its weights: each size in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench import standin
from bench.results import write
from workers.models.onnx_session import OnnxNetwork
from workers.stages.tiling import BYTES_PER_PIXEL

CLAIM = (
    "Peak memory of one tile through a stand-in of Real-ESRGAN x4's layers (random weights, 6 of its 69 "
    "dense blocks, which come one by one and add none), over the process before it, for each pixel that it "
    "makes. Tiles are planned with `planned`: the aim is that it is no less than what was measured."
)
TILES_PX = (64, 128, 256)
FACTOR = 4
BLOCKS = 6


def main(_clip: Path | None = None) -> None:
    """Measure every size; write bench/results/upscale-memory.json."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        path = standin.esrgan(Path(name) / "standin.onnx", BLOCKS)
        for tile_px in TILES_PX:
            command = [sys.executable, "-m", "bench.upscale_memory", str(path), str(tile_px)]
            peak = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
            pixels = (tile_px * FACTOR) ** 2
            rows.append(
                {
                    "tile, px": tile_px,
                    "peak, MiB": peak / 2**20,
                    "bytes a pixel": peak / pixels,
                    "planned": BYTES_PER_PIXEL,
                }
            )
    write("upscale-memory", CLAIM, rows)


def measure(path: Path, tile_px: int) -> int:
    """Return by how many bytes this process's peak grows with one tile."""
    network = OnnxNetwork(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network.run({"input": np.zeros((1, 3, tile_px, tile_px), np.float32)})
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


if __name__ == "__main__":
    print(measure(Path(sys.argv[1]), int(sys.argv[2])))
