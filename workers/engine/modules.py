"""Networks of other people's code within a worker's memory: torch modules that some package made and runs.

    place, guard = open_module(network, "gfpgan")
    with guard(): network(picture)

One that was not used for long leaves when another needs its memory, as `workers.engine.sessions` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn

from workers.engine.budget import this_residency
from workers.engine.memory import Meter, meter_of
from workers.engine.residency import Residency
from workers.engine.tenants import Standing, TorchTenant, weights_of
from workers.models.device import best_device


class ModuleTenant(TorchTenant):
    """A module as `Residency` moves it: its size is its weights, and what its first pass took beside them."""

    def __init__(self, network: nn.Module, device: torch.device, meter: Meter | None = None) -> None:
        """Take charge of `network`, which leaves at once, until it arrives."""
        self._watch = meter or meter_of(device)
        super().__init__(network, device, self._watch)
        self._weights_bytes = self.size_bytes
        self._has_run = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See what the first pass takes; the later ones take as much. A pass that fails shows nothing."""
        if self._has_run:
            yield
            return
        self._watch.reset_peak()
        before = self._watch.used_bytes()
        with self._watch.measured():
            yield
        self._has_run = True
        self.size_bytes = self._weights_bytes + self._watch.peak_bytes() - before


def open_module(
    network: nn.Module, name: str, *, device: torch.device | None = None, residency: Residency | None = None
) -> tuple[str, Callable[[], AbstractContextManager[None]]]:
    """Put a module under this worker's memory; return its name there, and what to enter around each pass.

    Raises:
        BudgetTooSmall: its weights alone do not fit; the message says what would do.
    """
    kept = residency or this_residency()
    if kept.limit_bytes is None:  # nobody leaves, and nothing need be copied for it
        place = kept.add(name, Standing(sum(tensor.nbytes for _, tensor in weights_of(network))))
        return place, lambda: _within(kept, place)
    tenant = ModuleTenant(network, device or best_device())
    place = kept.add(name, tenant)

    @contextmanager
    def guard() -> Iterator[None]:
        with kept.use(place), tenant.watched():
            yield

    return place, guard


@contextmanager
def _within(residency: Residency, place: str) -> Iterator[None]:
    with residency.use(place):
        yield
