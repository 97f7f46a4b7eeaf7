"""More networks than memory: cold ones wait in host memory, and come back before they are used.

Weights never change here, so a network that leaves costs nothing: its host copy is still right. One that
comes back costs one copy, from pinned memory, on a stream of its own, so that it overlaps with work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from workers.engine.host_weights import on_host
from workers.engine.memory import Meter, meter_of
from workers.engine.moves import MOVES
from workers.errors import BudgetTooSmall


@dataclass(slots=True)
class _Resident:
    network: nn.Module
    host: dict[str, torch.Tensor]  # parameters and buffers, by name
    size_bytes: int
    users: int = 0
    arrival: torch.cuda.Event | None = None  # of its weights, while they are on their way


class Residency:
    """Keeps networks within `budget_bytes` of a device's memory, the least recently used leaving first.

    For one thread. `num_arrivals` and `arrived_bytes` say what the switching has cost so far.
    """

    def __init__(self, device: torch.device, budget_bytes: int, meter: Meter | None = None) -> None:
        self._device = device
        self._budget_bytes = budget_bytes
        self._meter = meter or meter_of(device)
        self._known: dict[str, _Resident] = {}
        self._here: OrderedDict[str, _Resident] = OrderedDict()  # least recently used first
        self._stream = _stream(device)
        self.num_arrivals = 0
        self.arrived_bytes = 0

    def add(self, name: str, network: nn.Module) -> None:
        """Take charge of a network: it leaves the device at once, until it is used.

        Raises:
            BudgetTooSmall: it alone exceeds the budget.
        """
        host = {key: on_host(tensor.data, self._device) for key, tensor in _weights(network)}
        size_bytes = sum(tensor.nbytes for tensor in host.values())
        if size_bytes > self._budget_bytes:
            raise BudgetTooSmall(self._budget_bytes, size_bytes)
        self._known[name] = _Resident(network, host, size_bytes)
        self._leave(self._known[name])

    @contextmanager
    def use(self, name: str) -> Iterator[nn.Module]:
        """Yield a network, on the device; inside, it stays there.

        Raises:
            BudgetTooSmall: it does not fit beside those that are in use.
        """
        resident = self._bring(name)
        if resident.arrival is not None:
            torch.cuda.current_stream(self._device).wait_event(resident.arrival)
            resident.arrival = None
        resident.users += 1
        try:
            yield resident.network
        finally:
            resident.users -= 1

    def prefetch(self, name: str) -> None:
        """Begin to bring a network that is used soon. Does nothing where others in use leave no room."""
        if self._room_for(self._known[name]):
            self._bring(name)

    @property
    def resident(self) -> tuple[str, ...]:
        """Return the networks on the device, least recently used first."""
        return tuple(self._here)

    @property
    def resident_bytes(self) -> int:
        """Return what they take there."""
        return sum(one.size_bytes for one in self._here.values())

    def _bring(self, name: str) -> _Resident:
        resident = self._known[name]
        if name not in self._here:
            if not self._room_for(resident):
                pinned = sum(one.size_bytes for one in self._here.values() if one.users)
                raise BudgetTooSmall(self._budget_bytes, pinned + resident.size_bytes)
            while self.resident_bytes + resident.size_bytes > self._budget_bytes:
                self._evict()
            self._arrive(resident)
            self._here[name] = resident
        self._here.move_to_end(name)
        return resident

    def _room_for(self, resident: _Resident) -> bool:
        pinned = sum(one.size_bytes for one in self._here.values() if one.users and one is not resident)
        return pinned + resident.size_bytes <= self._budget_bytes

    def _evict(self) -> None:
        name = next(name for name, one in self._here.items() if not one.users)
        self._leave(self._here.pop(name))

    def _leave(self, resident: _Resident) -> None:
        for _, tensor in _weights(resident.network):
            tensor.data = tensor.data.new_empty(0, device=self._device)

    def _arrive(self, resident: _Resident) -> None:
        reader = None if self._stream is None else torch.cuda.current_stream(self._device)
        with self._meter.measured(), torch.cuda.stream(self._stream):
            for key, tensor in _weights(resident.network):
                tensor.data = resident.host[key].to(self._device, non_blocking=True, copy=True)
                if reader is not None:
                    # When it leaves, its memory waits for the work that reads it.
                    tensor.data.record_stream(reader)
        resident.arrival = None if self._stream is None else self._stream.record_event()
        MOVES.note(resident.size_bytes)
        self.num_arrivals += 1
        self.arrived_bytes += resident.size_bytes


def _stream(device: torch.device) -> torch.cuda.Stream | None:
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def _weights(network: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from network.named_parameters()
    yield from network.named_buffers()
