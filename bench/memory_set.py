"""Three networks larger than the memory that they may take, alternating chunk by chunk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.results import write
from bench.standin import matrices

CLAIM = (
    "Stand-ins (random weights) of the sizes of a usual set: analysis 1.5 GB as a torch network, a swap "
    "network of 4.2 GB and super-resolution of 2.8 GB as ONNX files; 8.5 GB within a budget of 6 GB, in a "
    "process of its own, one network a chunk, each chunk three passes. `peak` is what the kernel says "
    "(VmHWM), the interpreter and the libraries included. A switch is the first pass of a chunk less a later "
    "one: reading and packing the weights anew; on a GPU torch's come from pinned memory. `same values`: "
    "every pass gives what the network gave when it was opened."
)
GB = 10**9
BUDGET_GB = 6.0
SIZES_GB = {"analysis (torch)": 1.5, "swap (ONNX)": 4.2, "super-resolution (ONNX)": 2.8}
#: Every order of two neighbours comes up.
ORDER = (0, 1, 2, 0, 2, 1, 0)
SIDE = 4096  # of the matrices that the stand-ins are made of


def main(_clip: Path | None = None) -> None:
    """Measure in a child; write bench/results/memory-set.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
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
    import torch

    from workers.engine.budget import this_residency
    from workers.engine.sessions import open_network
    from workers.engine.tenants import TorchTenant

    torch.set_num_threads(1)
    titles, sizes = list(SIZES_GB), list(SIZES_GB.values())
    residency = this_residency()
    torch.manual_seed(0)
    layers = [torch.nn.Linear(SIDE, SIDE, bias=False) for _ in range(_layers(sizes[0]))]
    stack = torch.nn.Sequential(*layers).requires_grad_(requires_grad=False)
    analysis = residency.add("analysis", TorchTenant(stack, torch.device("cpu")))
    networks = [open_network(folder / f"{size}.onnx") for size in sizes[1:]]
    x = np.random.default_rng(0).standard_normal((1, SIDE), np.float32)

    def run(number: int) -> np.ndarray:
        if number:
            return networks[number - 1].run({"x": x})[0]
        with residency.use(analysis), torch.inference_mode():
            return stack(torch.from_numpy(x)).numpy()

    expected, same = [run(number) for number in range(3)], [True] * 3
    first_s: dict[int, list[float]] = {0: [], 1: [], 2: []}
    later_s: dict[int, list[float]] = {0: [], 1: [], 2: []}
    resident = []
    for number in ORDER:
        for turn in range(3):
            began_s = time.perf_counter()
            found = run(number)
            (first_s if turn == 0 else later_s)[number].append(time.perf_counter() - began_s)
            same[number] &= np.array_equal(found, expected[number])
        resident.append(residency.resident_bytes)
    print(residency, file=sys.stderr)
    peak = _peak_bytes()
    rows = [
        {
            "network": titles[number],
            "size GB": sizes[number],
            "chunks": ORDER.count(number),
            "switch s": max(first_s[number]) - min(later_s[number]),
            "pass s": min(later_s[number]),
            "same values": same[number],
            "budget GB": BUDGET_GB,
            "most resident GB": max(resident) / GB,
            "peak GB": peak / GB,
            "under budget": peak < BUDGET_GB * GB,
        }
        for number in range(3)
    ]
    print(json.dumps(rows))


def _layers(size_gb: float) -> int:
    return round(size_gb * GB / (SIDE * SIDE * 4))


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


if __name__ == "__main__":
    child(Path(sys.argv[1]))
