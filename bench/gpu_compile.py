"""What torch.compile would bring: measured, not used, because its kernels come a minute after the start."""

from __future__ import annotations

import time

import torch

from bench.engine_measure import Machine, Table, median
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point


def compiled(machine: Machine) -> Table:
    """Return the convolutions' time as they are and compiled; a row that says so where it cannot be done."""
    if machine.device.type == "cpu":
        return [{"network": "-", "compiled ms": "not measured on a CPU: it takes longer than all the rest"}]
    rows: Table = []
    for name, network in machine.networks().items():
        core = FusionEngine(network, machine.device, first=Point(precision=machine.half)).network.core
        weight = next(core.parameters())
        side_px = 64 if name == "lite" else machine.sides_px[1]
        x = torch.rand(1, weight.shape[1], side_px, side_px, device=machine.device, dtype=weight.dtype)
        with torch.inference_mode():
            row = {"network": name, "side": side_px, "eager ms": median(machine.times_ms(core, x))}
            try:
                quick, began_s = torch.compile(core, mode="max-autotune-no-cudagraphs"), time.perf_counter()
                quick(x)
                row["compiling s"] = time.perf_counter() - began_s
                row["compiled ms"] = median(machine.times_ms(quick, x))
            except Exception as error:  # noqa: BLE001 - no compiler, no Triton: the other parts go on
                row["compiled ms"] = f"cannot be compiled here: {type(error).__name__}"
        rows.append(row)
    return rows
