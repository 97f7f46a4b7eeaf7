"""Timing and counting for the engine's benchmarks, on a GPU and on a CPU; needs torch alone."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from workers.engine.precision import Precision, half_of
from workers.models.dense import STANDARD, DenseConfig, DenseFusionUNet
from workers.models.device import best_device
from workers.models.network import FusionNetwork
from workers.models.weights import load_fusion

Table = list[dict[str, Any]]
MIB = 2**20


@dataclass(frozen=True)
class Machine:
    """A device, and how much is asked of it."""

    device: torch.device
    sides_px: tuple[int, ...]
    tile_px: int
    runs: int  # that a median is taken of
    steady_runs: int
    batches: tuple[int, ...]
    dense: DenseConfig
    matrix: int  # side of those that the roofline is measured with

    @classmethod
    def gpu(cls) -> Machine:
        return cls(
            device=best_device(),  # with the settings that workers have: deterministic, no TF32
            sides_px=(512, 1024, 2048, 4096),
            tile_px=2048,
            runs=50,
            steady_runs=200,
            batches=(1, 2, 4, 8, 16),
            dense=STANDARD,
            matrix=8192,
        )

    @classmethod
    def rehearsal(cls) -> Machine:
        return cls(
            device=torch.device("cpu"),
            sides_px=(128, 256, 512),
            tile_px=256,
            runs=3,
            steady_runs=5,
            batches=(1, 2, 4),
            dense=DenseConfig(width=4, max_factor=8),
            matrix=512,
        )

    @property
    def half(self) -> Precision:
        return half_of(self.device)

    def networks(self) -> dict[str, FusionNetwork]:
        """Return the shipped network, and a dense one with random weights that change every pixel."""
        name = "standard" if self.dense == STANDARD else "narrow dense"
        return {"lite": load_fusion(), name: random_dense(self.dense)}

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "cpu": cpu_name(),
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "torch": torch.__version__,
        }
        if self.device.type == "cuda":
            properties = torch.cuda.get_device_properties(self.device)
            facts |= {
                "gpu": properties.name,
                "gpu_memory_mib": properties.total_memory // MIB,
                "cuda": torch.version.cuda,
                "cudnn": torch.backends.cudnn.version(),
            }
        return facts

    def sync(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def times_ms(self, run: Callable[..., object], *inputs: object, runs: int | None = None) -> list[float]:
        """Return how long each run took, after three that are not counted."""
        for _ in range(3):
            run(*inputs)
        taken = []
        for _ in range(runs or self.runs):
            self.sync()
            began_s = time.perf_counter()
            run(*inputs)
            self.sync()
            taken.append((time.perf_counter() - began_s) * 1e3)
        return taken

    def crops(self, num: int, side_px: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return smooth pictures with grain, under a soft round mask: x, mask, target."""
        made = torch.Generator().manual_seed(side_px)
        low = torch.rand(num, 9, side_px // 16, side_px // 16, generator=made)
        up = functional.interpolate(low, size=(side_px, side_px), mode="bilinear").to(self.device)
        grain = torch.rand(num, 1, side_px, side_px, generator=made).to(self.device)
        along = torch.linspace(-1, 1, side_px, device=self.device)
        away = (along[:, None] ** 2 + along**2).sqrt()
        mask = ((0.9 - away) * 4).clamp(0, 1).expand(num, 1, -1, -1).contiguous()
        picture = (0.9 * up + 0.1 * grain).clamp(0, 1)
        return picture[:, :6].contiguous(), mask, picture[:, 6:].contiguous()


def random_dense(config: DenseConfig) -> DenseFusionUNet:
    """Return a network whose random weights change every pixel by about a tenth."""
    torch.manual_seed(1)
    network = DenseFusionUNet(config).eval()
    nn.init.normal_(network.core.head.weight)
    with torch.inference_mode():
        found = network.core(torch.rand(1, 6, 128, 128) - 0.5)
    network.core.head.weight.data.mul_(0.1 / float(found.std()))
    return network


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def median(values: list[float]) -> float:
    return statistics.median(values)


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def flops(network: FusionNetwork, side_px: int) -> int:
    """Return the multiply-adds, counted as two, of the convolutions for one crop."""
    counted = FlopCounterMode(display=False)
    nowhere = [torch.empty(1, channels, side_px, side_px, device="meta") for channels in (6, 1, 3)]
    kind = type(network)(network.config)  # type: ignore[call-arg]
    with torch.inference_mode(), counted:
        kind.eval().to("meta").fuse(*nowhere)
    return counted.get_total_flops()


def ssim(one: Tensor, other: Tensor) -> float:
    """Return the mean structural similarity of (N, 3, S, S) pictures in [0, 1], over windows of 8 x 8 px.

    Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.
    """
    c1, c2 = 0.01**2, 0.03**2

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x.double(), 8, stride=4)

    a, b = mean(one), mean(other)
    aa, bb, ab = (
        mean(one.double() ** 2) - a * a,
        mean(other.double() ** 2) - b * b,
        mean(one.double() * other) - a * b,
    )
    return float(((2 * a * b + c1) * (2 * ab + c2) / ((a * a + b * b + c1) * (aa + bb + c2))).mean())
