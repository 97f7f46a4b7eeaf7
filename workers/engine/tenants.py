"""What takes a device's memory, can leave it, and comes back the same."""

from __future__ import annotations

import ctypes
import tempfile
import weakref
from collections.abc import Iterator
from typing import BinaryIO, Protocol

import torch
from torch import nn

from workers.engine.host_weights import on_host
from workers.engine.memory import Meter, meter_of


class Tenant(Protocol):
    """A network as `Residency` moves it."""

    @property
    def size_bytes(self) -> int | None:
        """What it takes while it is there, as measured; None as long as it never was."""

    def arrive(self) -> None:
        """Come to the device; a copy may still be under way when this returns. The size is known then."""

    def settle(self) -> None:
        """Have the work that follows wait until all of it is there."""

    def leave(self) -> None:
        """Give the device's memory back."""


class Standing:
    """What never leaves."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes: int = size_bytes

    def arrive(self) -> None:
        """Do nothing: it is there."""

    def settle(self) -> None:
        """Do nothing: it is there."""

    def leave(self) -> None:
        """Do nothing: it stays."""


class TorchTenant:
    """A torch network's weights: away, they lie in pinned memory, or in a file where the device is the CPU.

    Weights never change here, so a copy is made once, when they first leave. One that comes back to a GPU
    costs one copy on a stream of its own, which overlaps with work.
    """

    def __init__(self, network: nn.Module, device: torch.device, meter: Meter | None = None) -> None:
        """Take charge of `network`, which leaves at once, until it arrives."""
        self.network = network
        self.size_bytes: int = sum(tensor.nbytes for _, tensor in weights_of(network))
        self._device = device
        self._meter = meter or meter_of(device)
        self._away: _Away = _Pinned(device) if device.type == "cuda" else _File()
        self._stream = _stream(device)
        self._arrival: torch.cuda.Event | None = None
        self._is_copied = False
        self.leave()

    def arrive(self) -> None:
        """See `Tenant`."""
        reader = None if self._stream is None else torch.cuda.current_stream(self._device)
        with self._meter.measured(), torch.cuda.stream(self._stream):
            for name, tensor in weights_of(self.network):
                tensor.data = self._away.fetch(name)
                if reader is not None:
                    # When it leaves, its memory waits for the work that reads it.
                    tensor.data.record_stream(reader)
        self._arrival = None if self._stream is None else self._stream.record_event()

    def settle(self) -> None:
        """See `Tenant`."""
        if self._arrival is not None:
            torch.cuda.current_stream(self._device).wait_event(self._arrival)
            self._arrival = None

    def leave(self) -> None:
        """See `Tenant`."""
        for name, tensor in weights_of(self.network):
            if not self._is_copied:
                self._away.keep(name, tensor.data)
            # Of no size, on the device: whoever asks a parameter where its network is, is told right.
            tensor.data = tensor.data.new_empty(0, device=self._device)
        self._is_copied = True


class _Away(Protocol):
    def keep(self, name: str, tensor: torch.Tensor) -> None: ...

    def fetch(self, name: str) -> torch.Tensor: ...


class _Pinned:
    """Copies in memory that a GPU reads by itself."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._kept: dict[str, torch.Tensor] = {}

    def keep(self, name: str, tensor: torch.Tensor) -> None:
        self._kept[name] = on_host(tensor, self._device)

    def fetch(self, name: str) -> torch.Tensor:
        return self._kept[name].to(self._device, non_blocking=True, copy=True)


class _File:
    """Copies in a nameless file: in memory they would take what leaving should save."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="weights-")  # noqa: SIM115 - lives as long as this
        weakref.finalize(self, self._file.close)
        self._places: dict[str, tuple[int, torch.Tensor]] = {}  # offset, and one of its shape without memory

    def keep(self, name: str, tensor: torch.Tensor) -> None:
        dense = torch.empty_like(tensor, device="cpu").copy_(tensor)
        self._places[name] = self._file.tell(), torch.empty_like(dense, device="meta")
        self._file.write(_bytes_of(dense))

    def fetch(self, name: str) -> torch.Tensor:
        offset, shape = self._places[name]
        tensor = torch.empty_like(shape, device="cpu")
        self._file.seek(offset)
        self._file.readinto(_bytes_of(tensor))  # type: ignore[attr-defined] # buffered files have it
        return tensor


def _bytes_of(tensor: torch.Tensor) -> ctypes.Array[ctypes.c_char]:
    """Return a dense tensor's own memory, in whatever order its axes lie."""
    return (ctypes.c_char * tensor.nbytes).from_address(tensor.data_ptr())


def _stream(device: torch.device) -> torch.cuda.Stream | None:
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def weights_of(network: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield a network's parameters and buffers by name: all that it keeps on its device."""
    yield from network.named_parameters()
    yield from network.named_buffers()
