"""ONNX networks within a worker's memory: the way that engines, analysers and stages get theirs.

    network = open_network(path)
    (picture,) = network.run({"input": blob})

A network that was not used for long is closed when another needs its memory, and its next run opens it again.
Who runs several by turns holds them for a chunk, so that they do not come and go with every frame:

    with this_residency().hold(one.place, other.place): ...
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import torch

from broker.config import models_directory
from workers.config import EngineConfig
from workers.engine.budget import this_residency
from workers.engine.process_memory import give_back, resident_bytes
from workers.engine.residency import Residency
from workers.engine.settings import settings_of
from workers.models.device import best_device
from workers.models.onnx_providers import SessionSettings
from workers.models.onnx_session import OnnxNetwork

#: Below the models' directory: engines that TensorRT has built, which takes it minutes.
_ENGINES = ".tensorrt"


class SessionTenant:
    """A network's session as `Residency` moves it. Its size is what the device has less while it is open."""

    def __init__(self, network: OnnxNetwork, device: torch.device) -> None:
        self.network = network
        self.size_bytes: int | None = None
        self._device = device

    def arrive(self) -> None:
        """Open the session, and run it once where its inputs' sizes are known: that shows what it takes."""
        give_back()
        before = taken_bytes(self._device)
        self.network.open()
        blank = self.network.blank()
        if blank is not None:
            self.network.warm(blank)
        give_back()  # of what loading took beside
        self._note(taken_bytes(self._device) - before)

    def settle(self) -> None:
        """Do nothing: it is there."""

    def leave(self) -> None:
        """Close the session, and see again what it took: now it has worked."""
        give_back()
        before = taken_bytes(self._device)
        self.network.close()
        give_back()
        self._note(before - taken_bytes(self._device))

    def _note(self, size_bytes: int) -> None:
        # Other threads may have given memory back meanwhile; less than its weights it cannot take.
        self.size_bytes = max(size_bytes, self.network.file_bytes, self.size_bytes or 0)


def open_network(path: Path, *, residency: Residency | None = None) -> OnnxNetwork:
    """Return the network in `path`, open, within this worker's memory; one object for all who ask.

    Raises:
        PackageMissing: onnxruntime is not installed.
        ModelUnusable: it is no network that can be run.
        BudgetTooSmall: it does not fit; the message says what would do.
    """
    facts = path.stat()
    return _opened(path, facts.st_mtime_ns, facts.st_size, residency or this_residency())


def troubles(networks: Iterable[OnnxNetwork]) -> tuple[str, ...]:
    """Return why networks do not run on what was asked for, each with its name; mostly nothing."""
    return tuple(f"{one.name} runs on the {one.provider}: {one.trouble}" for one in networks if one.trouble)


def taken_bytes(device: torch.device) -> int:
    """Return how much of a device's memory is taken: on a CPU by this process, on a GPU by all."""
    if device.type != "cuda":
        return resident_bytes()
    free, total = torch.cuda.mem_get_info(device)
    return int(total) - int(free)


@functools.cache
def _opened(path: Path, _written_ns: int, _size: int, residency: Residency) -> OnnxNetwork:
    def guard() -> AbstractContextManager[object]:
        return residency.use(network.place)

    network = OnnxNetwork(path, _session_settings(residency), guard=guard, is_open=False)
    network.place = residency.add(path.stem, SessionTenant(network, best_device()))
    try:
        with residency.use(network.place):
            return network
    except Exception:
        residency.forget(network.place)
        raise


def _session_settings(residency: Residency) -> SessionSettings:
    return SessionSettings(
        provider=str(settings_of(EngineConfig.from_environment())["onnx.provider"]),
        has_gpu=best_device().type == "cuda",
        arena_bytes=residency.room_bytes,
        engines=models_directory() / _ENGINES,
    )
