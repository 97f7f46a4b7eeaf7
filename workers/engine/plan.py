"""What an engine's memory budget is divided into, from measurement; and the refusal when nothing fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from workers.engine.ladder import Point, down
from workers.engine.precision import Precision
from workers.errors import BudgetTooSmall

MIB = 2**20

#: Kept free: what fragmentation and libraries take beside torch's tensors. A share of the budget, and no
#: more than what large image tools keep on any card.
RESERVE_SHARE = 0.1
MOST_RESERVE_BYTES = 800 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What working at one point takes, in bytes, as measured."""

    weights_bytes: int
    graphs_bytes: int  # what captured graphs keep for themselves
    batch_bytes: int  # the most that one pass has alive at once

    @property
    def total_bytes(self) -> int:
        """Return all of it."""
        return self.weights_bytes + self.graphs_bytes + self.batch_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an engine works, what that takes, and what it gave up to fit. `str` is one line for people."""

    device: str
    side_px: int  # of the largest picture that was measured
    point: Point
    need: Need
    limit_bytes: int | None  # None: there is none
    steps: tuple[str, ...] = ()  # each step down the ladder: how it worked before, and why not any more

    def __str__(self) -> str:
        """Return the plan in one line."""
        limit = ", no limit" if self.limit_bytes is None else f" of {mib(self.limit_bytes)}"
        reserve = "" if self.limit_bytes is None else f" + reserve {mib(reserve_of(self.limit_bytes))}"
        parts = (
            f"weights {mib(self.need.weights_bytes)} + graphs {mib(self.need.graphs_bytes)}"
            f" + batch {mib(self.need.batch_bytes)}{reserve}{limit}"
        )
        lowered = f"; stepped down {len(self.steps)}x" if self.steps else ""
        return f"{self.device}, up to {self.side_px} px: {self.point}; {parts}{lowered}"


def reserve_of(limit_bytes: int) -> int:
    """Return how much of a budget is kept free."""
    return min(int(limit_bytes * RESERVE_SHARE), MOST_RESERVE_BYTES)


def limit_for(total_bytes: int) -> int:
    """Return the least budget that holds so much beside its own reserve."""
    return min(math.ceil(total_bytes / (1 - RESERVE_SHARE)), total_bytes + MOST_RESERVE_BYTES)


def fit(
    first: Point,
    measure: Callable[[Point], Need],
    *,
    limit_bytes: int,
    side_px: int,
    half: Precision,
    beside_bytes: int = 0,
) -> tuple[Point, Need, tuple[str, ...]]:
    """Return the highest point from `first` down that fits the budget, what it needs, and the steps to it.

    `beside_bytes` of the budget are taken by others.

    `measure` runs a real pass at a point; it may raise `torch.OutOfMemoryError`.

    Raises:
        BudgetTooSmall: not even the lowest fits; it says what would.
    """
    point, room = first, limit_bytes - reserve_of(limit_bytes) - beside_bytes
    steps: list[str] = []
    least_bytes: int | None = None  # not always the lowest point's: tiles overlap
    while True:
        need = _tried(measure, point)
        if need is not None:
            least_bytes = min(need.total_bytes, least_bytes or need.total_bytes)
        if need is not None and need.total_bytes <= room:
            return point, need, tuple(steps)
        lower = down(point, side_px=side_px, half=half)
        if lower is None:
            would_do = None if least_bytes is None else limit_for(least_bytes + beside_bytes)
            raise BudgetTooSmall(limit_bytes, would_do)
        took = "more than there is" if need is None else mib(need.total_bytes)
        steps.append(f"{point}: takes {took}")
        point = lower


def _tried(measure: Callable[[Point], Need], point: Point) -> Need | None:
    try:
        return measure(point)
    except torch.OutOfMemoryError:
        return None


def mib(size_bytes: int) -> str:
    """Return a size as people read it."""
    return f"{size_bytes / MIB:.1f} MiB"
