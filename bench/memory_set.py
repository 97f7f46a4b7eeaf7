"""Three networks larger than the memory that they may take, alternating chunk by chunk."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.clips import moving_pattern
from bench.results import write
from bench.standin import matrices

CLAIM = (
    "Stand-ins (random weights) of the sizes of a usual set: analysis 1.5 GB as a torch network, a swap "
    "network of 4.2 GB and super-resolution of 2.8 GB as ONNX files; 8.5 GB within a budget of 6 GB, in a "
    "process of its own, one network a chunk, each chunk three passes. `peak` is what the kernel says "
    "(VmHWM), the interpreter and the libraries included. A switch is the first pass of a chunk less a later "
    "one: reading and packing the weights anew; on a GPU torch's come from pinned memory. `prefetched`: what "
    "is left of it where the network comes while 125 frames of 1920 x 1080 are decoded by one thread, which "
    "is `decoding`: what both take together, less the decoding alone, so no more than that can be hidden. "
    "`same values`: every pass gives what the network gave when it was opened."
)
GB = 10**9
BUDGET_GB = 6.0
SIZES_GB = {"analysis (torch)": 1.5, "swap (ONNX)": 4.2, "super-resolution (ONNX)": 2.8}
#: Every order of two neighbours comes up.
ORDER = (0, 1, 2, 0, 2, 1, 0)
SIDE = 4096  # of the matrices that the stand-ins are made of
CHUNK_S = 5.0

Run: TypeAlias = Callable[[], np.ndarray]


def main(_clip: Path | None = None) -> None:
    """Measure in a child; write bench/results/memory-set.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        clip = folder / "chunk.mp4"
        moving_pattern(clip, seconds=CHUNK_S, size="1920x1080", rate="25", audio=False)
        for title, size_gb in list(SIZES_GB.items())[1:]:
            matrices(folder / f"{size_gb}.onnx", layers=_layers(size_gb), side=SIDE)
            print(f"{title}: written", flush=True)
        child = subprocess.run(
            [sys.executable, "-m", "bench.memory_set", str(folder)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "FARM_WORKER_GPU_MEMORY_LIMIT": str(BUDGET_GB)},
        )
    write("memory-set", CLAIM, json.loads(child.stdout.splitlines()[-1]))


def child(folder: Path) -> None:
    """Open all three under the budget, alternate, and print the rows."""
    from workers.engine.budget import this_residency

    runs, places = _opened(folder)
    taken = _alternated(runs, places, folder / "chunk.mp4")
    print(this_residency(), file=sys.stderr)
    peak = _peak_bytes()
    rows = [
        {
            "network": title,
            "size GB": SIZES_GB[title],
            "chunks": 2 * ORDER.count(number),
            "switch s": taken.switch_s(number),
            "prefetched s": taken.prefetched_s(number),
            "decoding s": taken.decode_s,
            "hidden, %": max(0.0, 100 - 100 * taken.prefetched_s(number) / taken.switch_s(number)),
            "pass s": min(taken.later_s[number]),
            "same values": taken.same[number],
            "budget GB": BUDGET_GB,
            "most resident GB": taken.most_bytes / GB,
            "peak GB": peak / GB,
            "under budget": peak < BUDGET_GB * GB,
        }
        for number, title in enumerate(SIZES_GB)
    ]
    print(json.dumps(rows))


def _opened(folder: Path) -> tuple[list[Run], list[str]]:
    """Return what runs each network, and its name among those in memory."""
    import torch

    from workers.engine.budget import this_residency
    from workers.engine.sessions import open_network
    from workers.engine.tenants import TorchTenant

    torch.set_num_threads(1)
    residency, sizes = this_residency(), list(SIZES_GB.values())
    torch.manual_seed(0)
    layers = [torch.nn.Linear(SIDE, SIDE, bias=False) for _ in range(_layers(sizes[0]))]
    stack = torch.nn.Sequential(*layers).requires_grad_(requires_grad=False)
    analysis = residency.add("analysis", TorchTenant(stack, torch.device("cpu")))
    networks = [open_network(folder / f"{size}.onnx") for size in sizes[1:]]
    x = np.random.default_rng(0).standard_normal((1, SIDE), np.float32)

    def analyse() -> np.ndarray:
        with residency.use(analysis), torch.inference_mode():
            return stack(torch.from_numpy(x)).numpy()

    runs = [analyse, *(lambda one=one: one.run({"x": x})[0] for one in networks)]
    return runs, [analysis, *(network.place for network in networks)]


@dataclass(kw_only=True)
class Taken:
    """What passes took, in seconds, by network."""

    first_s: list[list[float]] = field(default_factory=lambda: [[] for _ in SIZES_GB])
    ahead_s: list[list[float]] = field(default_factory=lambda: [[] for _ in SIZES_GB])
    later_s: list[list[float]] = field(default_factory=lambda: [[] for _ in SIZES_GB])
    same: list[bool] = field(default_factory=lambda: [True for _ in SIZES_GB])
    most_bytes: int = 0
    decode_s: float = 0.0

    def switch_s(self, number: int) -> float:
        """Return what a chunk waits for its network, at most, where that comes when it is needed."""
        return max(self.first_s[number]) - min(self.later_s[number])

    def prefetched_s(self, number: int) -> float:
        """Return the same where it is on its way while the chunk is decoded."""
        return max(0.0, max(self.ahead_s[number]) - min(self.later_s[number]))


def _alternated(runs: list[Run], places: list[str], clip: Path) -> Taken:
    from workers.engine.budget import this_residency
    from workers.engine.prefetching import prefetching

    taken, residency = Taken(), this_residency()
    expected = [run() for run in runs]
    taken.decode_s = statistics.median(_decoding_s(clip) for _ in range(3))
    for is_ahead, number in itertools.product((False, True), ORDER):
        for turn in range(3):
            began_s = time.perf_counter()
            if is_ahead and turn == 0:
                with prefetching(residency, places[number : number + 1]):
                    _decoding_s(clip)
                began_s += taken.decode_s
            taken.same[number] &= np.array_equal(runs[number](), expected[number])
            of = taken.later_s if turn else taken.ahead_s if is_ahead else taken.first_s
            of[number].append(time.perf_counter() - began_s)
        taken.most_bytes = max(taken.most_bytes, residency.resident_bytes)
    return taken


def _decoding_s(clip: Path) -> float:
    """Decode a chunk as a worker does, to the end; return how long that took."""
    import av

    began_s = time.perf_counter()
    with av.open(clip) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for _ in container.decode(video=0):
            pass
    return time.perf_counter() - began_s


def _layers(size_gb: float) -> int:
    return round(size_gb * GB / (SIDE * SIDE * 4))


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


if __name__ == "__main__":
    child(Path(sys.argv[1]))
