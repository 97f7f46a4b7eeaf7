"""How much of a device's memory is taken, asked the same way of every device."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import torch

from workers.engine.cpu_memory import CpuMeter
from workers.engine.cuda_memory import CudaMeter


class Meter(Protocol):
    """Counts the bytes of one device's tensors, and holds them to a limit.

    Beyond the limit an allocation raises `torch.OutOfMemoryError`, on every device.
    """

    limit_bytes: int | None

    def free_bytes(self) -> int | None:
        """Return what could still be taken if there were no limit; None where nobody can say."""

    def limit(self, limit_bytes: int | None) -> None:
        """Allow no more than this from now on; None allows what the device has."""

    def adopt(self, tensors: list[torch.Tensor]) -> None:
        """Count tensors that were made before the meter, until they are freed."""

    def guard(self) -> AbstractContextManager[object]:
        """Hold what is allocated inside to the limit."""

    def measured(self) -> AbstractContextManager[object]:
        """Count what is allocated inside."""

    def used_bytes(self) -> int:
        """Return the bytes of the tensors that live now."""

    def peak_bytes(self) -> int:
        """Return the most that lived at once since `reset_peak`."""

    def reset_peak(self) -> None:
        """Begin a new peak at what is used now."""

    def held_bytes(self) -> int:
        """Return what is kept from others: the tensors, and what graphs have reserved."""

    def release(self) -> None:
        """Give back what is cached and not used."""


def meter_of(device: torch.device) -> Meter:
    """Return the meter of a device."""
    return CudaMeter(device) if device.type == "cuda" else CpuMeter()
