"""An allocator that fails on demand, and an engine that steps down its ladder under it."""

from __future__ import annotations

import torch

from bench.engine_measure import Machine, Table, median, random_dense
from workers.engine.cpu_memory import CpuMeter
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.models.dense import DenseConfig

NUM_CROPS = 6
SIDE_PX = 512


class FaultyMeter(CpuMeter):
    """Refuses as many of the next allocations as it is told to."""

    failures = 0

    def _count(self, tensor: torch.Tensor) -> None:
        if self.failures and self.limit_bytes is not None:
            self.failures -= 1
            raise torch.OutOfMemoryError("injected")
        super()._count(tensor)


def ladder() -> Table:
    """Return a row for every rung, from the top down."""
    meter, machine = FaultyMeter(), Machine.rehearsal()
    engine = FusionEngine(
        random_dense(DenseConfig(width=4)),
        torch.device("cpu"),
        first=Point(batch=4),
        limit_bytes=10**12,
        sides_px=(SIDE_PX,),
        meter=meter,
    )
    engine.warm()
    crops = machine.crops(NUM_CROPS, SIDE_PX)
    expected, rows = engine(*crops), []
    while True:
        fused = engine(*crops)
        rows.append(
            {
                "rung": str(engine.plan.point),
                "lost": NUM_CROPS - len(fused),
                "max difference, of 255": float((fused - expected).abs().max()) * 255,
                "ms a crop": median(machine.times_ms(engine, *crops, runs=2)) / NUM_CROPS,
            }
        )
        if engine.plan.point.weights == "host":
            return rows
        meter.failures = 1
        engine(*crops)  # runs out in the middle, steps down, does it again
