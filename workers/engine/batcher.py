"""Gathers crops that come one by one, from several threads, into passes; none waits longer than it was told.

A pass always has the engine's full number of crops, blank ones for those that did not come, so who came
together shows in nobody's pixels. It pays where several frames or faces are under way at once, on a device
that does many crops in hardly more time than one.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Self

import torch
from torch import Tensor

#: How long the first crop of a pass waits for others, in seconds: less than one frame of 4K decoding.
WAIT_S = 0.005

Fuse = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class _Order:
    crops: tuple[Tensor, Tensor, Tensor]  # x, mask, target of one crop
    answer: Future[Tensor] = field(default_factory=Future)


class Batcher:
    """Calls `fuse` from a thread of its own, which alone touches the device. Use it as a context manager."""

    def __init__(self, fuse: Fuse, size: int, wait_s: float = WAIT_S) -> None:
        self._fuse = fuse
        self._size = size
        self._wait_s = wait_s
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="batcher")
        self.num_passes = 0
        self.num_crops = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer what was submitted, then end."""
        self._orders.put(None)
        self._thread.join()

    def submit(self, x: Tensor, mask: Tensor, target: Tensor) -> Future[Tensor]:
        """Return the promise of one fused crop, (1, 3, S, S); it carries the error if there is one."""
        order = _Order((x, mask, target))
        self._orders.put(order)
        return order.answer

    def _serve(self) -> None:
        is_open = True
        while is_open and (first := self._orders.get()) is not None:
            gathered, is_open = self._gather(first)
            by_side: defaultdict[int, list[_Order]] = defaultdict(list)
            for order in gathered:
                by_side[order.crops[0].shape[-1]].append(order)
            for orders in by_side.values():
                self._answer(orders)

    def _gather(self, first: _Order) -> tuple[list[_Order], bool]:
        """Return what came in time, and whether more may come."""
        gathered, deadline_s = [first], time.monotonic() + self._wait_s
        while len(gathered) < self._size:
            try:
                order = self._orders.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except Empty:
                break
            if order is None:
                return gathered, False
            gathered.append(order)
        return gathered, True

    def _answer(self, orders: list[_Order]) -> None:
        try:
            x, mask, target = (torch.cat(parts) for parts in zip(*(o.crops for o in orders), strict=True))
            fused = self._fuse(x, mask, target)
        except Exception as error:  # noqa: BLE001 - raised where the answer is read
            for order in orders:
                order.answer.set_exception(error)
            return
        self.num_passes += 1
        self.num_crops += len(orders)
        for order, crop in zip(orders, fused.chunk(len(orders)), strict=True):
            order.answer.set_result(crop)
