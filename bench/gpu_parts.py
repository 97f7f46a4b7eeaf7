"""The parts of `python -m bench.gpu`: each measures one thing, and returns its rows."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import torch

from bench.engine_measure import MIB, Machine, Table, flops, median, p95, ssim
from bench.gpu_compile import compiled
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.memory import meter_of
from workers.engine.precision import Precision
from workers.engine.prefetching import prefetching
from workers.engine.residency import Residency
from workers.engine.tenants import TorchTenant
from workers.models.network import FusionNetwork


def roofline(machine: Machine) -> Table:
    """Multiply large matrices: the most that this device does in 16 bits, measured rather than looked up."""
    a, b = (torch.randn(machine.matrix, machine.matrix, device=machine.device).bfloat16() for _ in range(2))
    taken = machine.times_ms(torch.matmul, a, b, runs=20)
    return [{"bf16 TFLOP/s": 2 * machine.matrix**3 / median(taken) / 1e9, "matrix": machine.matrix}]


def latency(machine: Machine) -> Table:
    """One crop at a time, made ready as a worker does: plan, graphs, one pass; then many runs."""
    rows = []
    for name, network in machine.networks().items():
        for side_px in machine.sides_px:
            began_s = time.perf_counter()
            with closing(_engine(machine, network, side_px, has_graphs=True)) as engine:
                plan, crops = engine.warm(), machine.crops(1, side_px)
                machine.sync()
                ready_s = time.perf_counter() - began_s
                taken, first_ms, idle, peak = _watched(machine, engine, crops)
                rows.append(
                    {
                        "network": name,
                        "side": side_px,
                        "median ms": median(taken),
                        "p95 ms": p95(taken),
                        "first ms": first_ms,
                        "ready s": ready_s,
                        "idle MiB": idle,
                        "peak MiB": peak,
                        "plan": str(plan.point),
                    }
                )
    return rows


def graphs(machine: Machine) -> Table:
    """Replay against the same pass launched kernel by kernel; their pixels."""
    rows = []
    for name, network in machine.networks().items():
        for side_px in machine.sides_px[:2]:
            crops, row = machine.crops(1, side_px), {"network": name, "side": side_px}
            fused = {}
            for way, has_graphs in (("eager", False), ("graph", True)):
                with closing(_engine(machine, network, side_px, has_graphs=has_graphs)) as engine:
                    engine.warm()
                    row[f"{way} ms"] = median(machine.times_ms(engine, *crops))
                    fused[way] = engine(*crops)
            row["same bits"] = bool(torch.equal(fused["eager"], fused["graph"]))
            rows.append(row)
    return rows


def batches(machine: Machine) -> Table:
    """Throughput by batch, and its share of the roofline: convolutions only, over all of the time."""
    rows, top = [], roofline(machine)[0]["bf16 TFLOP/s"]
    for name, network in machine.networks().items():
        for side_px in machine.sides_px[:2]:
            work = flops(network, side_px)
            for batch in machine.batches:
                with closing(_engine(machine, network, side_px, batch=batch, has_graphs=True)) as engine:
                    plan, crops = engine.warm(), machine.crops(batch, side_px)
                    if plan.point.batch < batch:
                        break  # it does not fit
                    taken_s = median(machine.times_ms(engine, *crops, runs=20)) / 1e3
                    share = work * batch / taken_s / 1e12 / top
                    rows.append(
                        {
                            "network": name,
                            "side": side_px,
                            "batch": batch,
                            "crops/s": batch / taken_s,
                            "TFLOP/s": work * batch / taken_s / 1e12,
                            "of roofline": share,
                        }
                    )
    return rows


def precisions(machine: Machine) -> Table:
    """Each precision against float32: time, weights, similarity."""
    rows, side_px = [], machine.sides_px[1]
    ladder = [Precision.FP32, Precision.BF16] + [Precision.FP16] * (machine.device.type == "cuda")
    for name, network in machine.networks().items():
        crops, exact = machine.crops(1, side_px), None
        for precision in ladder:
            with closing(_engine(machine, network, side_px, precision=precision, has_graphs=True)) as engine:
                need, fused = engine.warm().need, engine(*crops)
                exact = fused if exact is None else exact
                rows.append(
                    {
                        "network": name,
                        "side": side_px,
                        "precision": str(precision),
                        "ms": median(machine.times_ms(engine, *crops)),
                        "weights MiB": need.weights_bytes / MIB,
                        "batch MiB": need.batch_bytes / MIB,
                        "SSIM": ssim(fused, exact),
                        "max difference, of 255": float((fused - exact).abs().max()) * 255,
                    }
                )
    return rows


def tiles(machine: Machine) -> Table:
    """Whole against tiles: time, memory, and the largest difference anywhere."""
    rows = []
    for name, network in machine.networks().items():
        for side_px in machine.sides_px[1:]:
            row: dict[str, Any] = {"network": name, "side": side_px}
            crops, fused = machine.crops(1, side_px), []
            for way, tile_px in (("whole", side_px), ("tiled", machine.sides_px[-1] // 4)):
                with closing(_engine(machine, network, side_px, tile_px=max(tile_px, 256))) as engine:
                    row[f"{way} MiB"] = engine.warm().need.batch_bytes / MIB
                    row[f"{way} ms"] = median(machine.times_ms(engine, *crops, runs=5))
                    fused.append(engine(*crops))
            row["max difference, of 255"] = float((fused[0] - fused[1]).abs().max()) * 255
            rows.append(row)
    return rows


def steady(machine: Machine) -> Table:
    """Many runs in a row: memory after each of them."""
    rows = []
    for name, network in machine.networks().items():
        side_px = machine.sides_px[1]
        with closing(_engine(machine, network, side_px, has_graphs=True)) as engine:
            engine.warm()
            crops, meter, used = machine.crops(1, side_px), meter_of(machine.device), []
            meter.adopt([*engine.network.parameters(), *crops])
            with meter.measured():
                engine(*crops)
                for _ in range(machine.steady_runs):
                    engine(*crops)
                    used.append(meter.used_bytes())
            rows.append(
                {
                    "network": name,
                    "runs": len(used),
                    "least MiB": min(used) / MIB,
                    "most MiB": max(used) / MIB,
                }
            )
    return rows


def residency(machine: Machine) -> Table:
    """Eight networks in the memory of three: what a switch costs, cold, and beside the pass before."""
    network = next(iter(reversed(machine.networks().values())))
    size = sum(tensor.nbytes for tensor in network.state_dict().values())
    held = Residency(int(3.5 * size), has_reserve=False)
    for index in range(8):
        held.add(str(index), TorchTenant(copy.deepcopy(network), machine.device))
    crops = machine.crops(1, machine.sides_px[0])

    @torch.inference_mode()
    def run(name: str) -> None:
        with held.use(name) as one:
            one.network.fuse(*crops)

    def cold(start: list[int]) -> None:
        start[0] = (start[0] + 1) % 8
        run(str(start[0]))

    def ahead(start: list[int]) -> None:
        """Work on one while the next comes."""
        following = (start[0] + 1) % 8
        with prefetching(held, (str(following),)):
            run(str(start[0]))
        start[0] = following

    warm_ms = median(machine.times_ms(run, "0"))
    cold_ms = median(machine.times_ms(cold, [0]))
    ahead_ms = median(machine.times_ms(ahead, [0]))
    return [
        {
            "networks": 8,
            "all MiB": 8 * size / MIB,
            "budget MiB": 3.5 * size / MIB,
            "resident MiB": held.resident_bytes / MIB,
            "resident ms": warm_ms,
            "switched ms": cold_ms,
            "cost of a switch ms": cold_ms - warm_ms,
            "prefetched ms": ahead_ms - warm_ms,
        }
    ]


PARTS: dict[str, Callable[[Machine], Table]] = {
    "roofline": roofline,
    "latency": latency,
    "graphs": graphs,
    "batches": batches,
    "precisions": precisions,
    "tiles": tiles,
    "steady": steady,
    "residency": residency,
    "compile": compiled,
}


def _engine(
    machine: Machine,
    network: FusionNetwork,
    side_px: int,
    *,
    batch: int = 1,
    tile_px: int | None = None,
    precision: Precision | None = None,
    has_graphs: bool = False,
) -> FusionEngine:
    first = Point(batch=batch, tile_px=tile_px or machine.tile_px, precision=precision or machine.half)
    return FusionEngine(network, machine.device, first=first, sides_px=(side_px,), has_graphs=has_graphs)


def _watched(machine: Machine, engine: FusionEngine, crops: Any) -> tuple[list[float], float, float, float]:
    """Return the runs' times, the first one's, and the memory between and at the most of them, in MiB."""
    meter = meter_of(machine.device)
    meter.adopt([*engine.network.parameters(), *engine.network.buffers(), *crops])
    with meter.measured():
        meter.reset_peak()
        began_s = time.perf_counter()
        engine(*crops)
        machine.sync()
        first_ms = (time.perf_counter() - began_s) * 1e3
        idle, peak = meter.used_bytes() / MIB, meter.peak_bytes() / MIB
    return machine.times_ms(engine, *crops), first_ms, idle, peak
