"""What torch's allocator says of a GPU's memory. The limit binds it alone: not cuDNN, not the context."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch


class CudaMeter:
    """The meter of one GPU, for this process."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.limit_bytes: int | None = None

    def free_bytes(self) -> int:
        """Return what the driver says is free, after this process's context, and what the allocator holds."""
        free, _ = torch.cuda.mem_get_info(self._device)
        return int(free) + torch.cuda.memory_reserved(self._device)

    def limit(self, limit_bytes: int | None) -> None:
        """See `Meter`."""
        self.limit_bytes = limit_bytes
        total = torch.cuda.get_device_properties(self._device).total_memory
        share = 1.0 if limit_bytes is None else min(1.0, limit_bytes / total)
        torch.cuda.set_per_process_memory_fraction(share, self._device)

    def adopt(self, tensors: Sequence[torch.Tensor]) -> None:
        """Do nothing: the allocator knows them."""

    def guard(self) -> AbstractContextManager[object]:
        """Return an empty context: the allocator always holds to its limit."""
        return nullcontext()

    def measured(self) -> AbstractContextManager[object]:
        """Return an empty context: the allocator always counts."""
        return nullcontext()

    def used_bytes(self) -> int:
        """See `Meter`."""
        return torch.cuda.memory_allocated(self._device)

    def peak_bytes(self) -> int:
        """See `Meter`."""
        return torch.cuda.max_memory_allocated(self._device)

    def reset_peak(self) -> None:
        """See `Meter`."""
        torch.cuda.reset_peak_memory_stats(self._device)

    def held_bytes(self) -> int:
        """See `Meter`: what the allocator has reserved once its cache is empty."""
        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()
        return torch.cuda.memory_reserved(self._device)

    def release(self) -> None:
        """See `Meter`."""
        torch.cuda.empty_cache()
