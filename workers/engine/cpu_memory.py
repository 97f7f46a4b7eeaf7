"""Counts the bytes of tensors on the CPU, and can hold them to a limit: what a GPU's allocator does there.

The count is of real tensors: every operation's results are seen as they are made, and forgotten when their
storage is freed. What an operation allocates for itself and frees before it returns is not seen.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class CpuMeter:
    """The meter of the CPU. Without a limit it costs nothing outside `measured`."""

    def __init__(self, limit_bytes: int | None = None) -> None:
        self.limit_bytes = limit_bytes
        self._live: dict[int, int] = {}  # storage to bytes
        self._used = self._peak = 0
        self._counter = _Counter(self._count)

    def free_bytes(self) -> None:
        """Return None: other workers take from the same memory."""

    def limit(self, limit_bytes: int | None) -> None:
        """See `Meter`."""
        self.limit_bytes = limit_bytes

    def adopt(self, tensors: Sequence[torch.Tensor]) -> None:
        """See `Meter`."""
        for tensor in tensors:
            self._count(tensor)

    def guard(self) -> AbstractContextManager[object]:
        """See `Meter`."""
        return nullcontext() if self.limit_bytes is None else self._counter

    def measured(self) -> AbstractContextManager[object]:
        """See `Meter`."""
        return self._counter

    def used_bytes(self) -> int:
        """See `Meter`."""
        return self._used

    def peak_bytes(self) -> int:
        """See `Meter`."""
        return self._peak

    def reset_peak(self) -> None:
        """See `Meter`."""
        self._peak = self._used

    def held_bytes(self) -> int:
        """See `Meter`."""
        return self._used

    def release(self) -> None:
        """Do nothing: freed memory is free."""

    def _count(self, tensor: torch.Tensor) -> None:
        storage, key = tensor.untyped_storage(), _key(tensor)
        size = storage.nbytes()
        if key in self._live or tensor.device.type != "cpu":
            return
        if self.limit_bytes is not None and self._used + size > self.limit_bytes:
            raise torch.OutOfMemoryError(f"{size} bytes beside {self._used} exceed {self.limit_bytes}")
        self._live[key] = size
        self._used += size
        self._peak = max(self._peak, self._used)
        weakref.finalize(storage, self._forget, key).atexit = False

    def _forget(self, key: int) -> None:
        self._used -= self._live.pop(key)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, count: Callable[[torch.Tensor], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._count = count

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Have torch leave `__torch_dispatch__` as it is: nothing is compiled here.

        Otherwise it keeps its compiler away from it, and imports all of that with the first operation:
        seconds of a worker's start.
        """
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {_key(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)}
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            # A view of what was given is not new; whose that is, `adopt` says.
            if isinstance(leaf, torch.Tensor) and _key(leaf) not in given:
                self._count(leaf)
        return made


def _key(tensor: torch.Tensor) -> int:
    key: int = tensor.untyped_storage()._cdata  # noqa: SLF001 - a storage's only identity
    return key
