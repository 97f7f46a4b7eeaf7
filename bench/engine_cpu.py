"""The fusion engine on a CPU: ways to run convolutions, batches, tiles, the ladder, switching networks."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.engine_ladder import ladder
from bench.engine_measure import MIB, Machine, Table, median, random_dense, ssim
from bench.engine_traffic import moved_bytes
from bench.gpu_parts import latency, residency
from bench.one_kernel import in_one_kernel
from bench.results import write
from workers.engine.cpu_memory import CpuMeter
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.tiles import fuse_in_tiles
from workers.models.blocks import fold_batch_norms
from workers.models.dense import STANDARD, DenseConfig
from workers.models.network import FusionNetwork
from workers.models.quantized import quantize_core
from workers.models.unet import FusionUNet
from workers.models.weights import load_fusion
from workers.training.batches import to_batch
from workers.training.exam import drawn_exams

CPU = torch.device("cpu")
WAYS = (
    "One pass over one crop, by how its convolutions run: median ms, its ratio to unfolded float32 (runs in "
    "turn), bytes that operations read and write, likeness to unfolded float32. No fp16: CPUs emulate it."
)
BATCHES = (
    "Crops a second by the size of a pass, over that of single crops; the shipped network. Aim: 1.3 at 4."
)
TILES = (
    "Peak memory of tiles of 512 px beside the picture's own buffers, counted tensor by tensor, and the "
    "largest difference to the untiled picture. Aim: 4096 px within 1.2 of 2048 px; half a level of 255."
)
LADDER = (
    "An allocator that refuses once at every rung: the engine steps down, does its six crops again, and "
    "stays. Lost: crops that did not come out. Difference: to the rung above all, in levels of 255."
)
START = (
    "The way to the first crop: from an engine's making to its readiness (measured, planned, one real pass), "
    "the first crop after that, memory between crops and at the most. In bf16, and fp16 on a GPU."
)
SWITCHING = (
    "Eight networks in the memory of three and a half: what a pass costs when its network must come back."
)


def main(clip: Path | None = None) -> None:  # noqa: ARG001
    """Measure; write bench/results/engine-cpu-*.json."""
    torch.set_num_threads(1)
    write(
        "engine-cpu-ways",
        WAYS,
        [*_ways("lite", load_fusion(), 15), *_ways("standard", random_dense(STANDARD), 3)],
    )
    write("engine-cpu-batches", BATCHES, _batches())
    write("engine-cpu-start", START, latency(Machine.rehearsal()))
    write("engine-cpu-tiles", TILES, _tiles())
    write("engine-cpu-ladder", LADDER, ladder())
    write("engine-cpu-switching", SWITCHING, residency(_with_larger_networks()))


@torch.inference_mode()
def _ways(title: str, network: FusionNetwork, rounds: int) -> Table:
    side_px = 256
    crops, ways = _faces(4, side_px), _prepared(network)
    exact = network(*crops)
    taken: dict[str, list[float]] = {way: [] for way in ways}
    machine = Machine.rehearsal()
    for _ in range(rounds):  # in turn: what else the machine does hits all alike
        for way, one in ways.items():
            taken[way] += machine.times_ms(one, *(tensor[:1] for tensor in crops), runs=1)
    slowest, rows = median(taken["unfolded"]), []
    for way, one in ways.items():
        fused, ms = one(*crops), median(taken[way])
        rows.append(
            {
                "network": title,
                "side": side_px,
                "way": way,
                "ms": ms,
                "ratio": ms / slowest,
                "moved MiB": "-" if way == "int8" else moved_bytes(one.core, network, crops) / MIB,
                "1 - SSIM": 1 - ssim(fused, exact),
                "max difference, of 255": float((fused - exact).abs().max()) * 255,
            }
        )
    return rows


def _prepared(network: FusionNetwork) -> dict[str, FusionNetwork]:
    """Return the network in every way that its convolutions can run here."""
    folded = copy.deepcopy(network)
    fold_batch_norms(folded)
    last, half, both, one = (copy.deepcopy(folded) for _ in range(4))
    in_one_kernel(one.core)
    last.core.to(memory_format=torch.channels_last)
    half.core.bfloat16()
    both.core.bfloat16().to(memory_format=torch.channels_last)
    ways = {"unfolded": network, "folded": folded, "folded, channels last": last}
    ways |= {"one kernel": one, "folded, bf16": half, "folded, bf16, channels last": both}
    if isinstance(network, FusionUNet):
        ways["int8"] = load_fusion()
        quantize_core(ways["int8"])
    return ways


def _batches() -> Table:
    machine, network = Machine.rehearsal(), load_fusion()
    sizes = (1, 2, 4, 8)
    engines = {size: FusionEngine(network, CPU, first=Point(batch=size), sides_px=(128,)) for size in sizes}
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(15):
        for size, engine in engines.items():
            taken[size] += machine.times_ms(engine, *machine.crops(size, 128), runs=1)
    rates = {size: size / median(taken[size]) * 1e3 for size in sizes}
    return [
        {"batch": size, "crops/s": rate, "over single crops": rate / rates[1]} for size, rate in rates.items()
    ]


def _tiles() -> Table:
    rows = []
    for title, network in (("lite", load_fusion()), ("narrow dense", random_dense(DenseConfig(width=8)))):
        fold_batch_norms(network)
        beside = {}
        for side_px in (2048, 4096):
            crops, meter = Machine.rehearsal().crops(1, side_px), CpuMeter()
            meter.adopt(crops)
            own = sum(tensor.nbytes for tensor in crops) + crops[2].nbytes
            own += network.field_channels * 4 * side_px**2 if network.overlap_px else 0
            with torch.inference_mode(), meter.measured():
                tiled = fuse_in_tiles(network, *crops, tile_px=512)
            beside[side_px] = meter.peak_bytes() - own
            row: dict[str, Any] = {
                "network": title,
                "side": side_px,
                "own buffers MiB": own / MIB,
                "beside MiB": beside[side_px] / MIB,
                "over 2048 px": beside[side_px] / beside[2048],
            }
            if side_px == 2048:
                row["max difference, of 255"] = _difference(network, crops, tiled)
            rows.append(row)
    return rows


@torch.inference_mode()
def _difference(network: FusionNetwork, crops: tuple[Tensor, ...], tiled: Tensor) -> float:
    return float((network.fuse(*crops) - tiled).abs().max()) * 255


def _with_larger_networks() -> Machine:
    """Return a machine whose dense networks have 7.9 M parameters: a copy that is worth its time."""
    return dataclasses.replace(Machine.rehearsal(), dense=DenseConfig(width=32), runs=9)


def _faces(count: int, side_px: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return drawn faces in other drawn people's pictures: x, mask, target."""
    pairs = drawn_exams(count, side_px)["drawn, other person"]
    batch = to_batch(pairs)
    return batch.x, batch.mask, batch.target


if __name__ == "__main__":
    main()
