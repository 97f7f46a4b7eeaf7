"""ONNX networks within a worker's memory: the way that engines, analysers and stages get theirs.

    network = open_network(path)
    (picture,) = network.run({"input": blob})

A network that was not used for long is closed when another needs its memory, and its next run opens it again.
Who runs several by turns holds them for a chunk, so that they do not come and go with every frame:

    with this_residency().hold(one.place, other.place): ...
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import torch
from numpy.typing import NDArray

from broker.config import models_directory
from workers.config import EngineConfig
from workers.engine.budget import this_residency
from workers.engine.process_memory import Peak, give_back, resident_bytes
from workers.engine.residency import Residency
from workers.engine.settings import settings_of
from workers.models.device import best_device
from workers.models.onnx_providers import SessionSettings
from workers.models.onnx_session import OnnxNetwork

#: Below the models' directory: engines that TensorRT has built, which takes it minutes.
_ENGINES = ".tensorrt"


class SessionTenant:
    """A network's session as `Residency` moves it.

    Its size is what the device has less while it is open, and a pass's own memory, freed or not.
    """

    def __init__(self, network: OnnxNetwork, device: torch.device) -> None:
        self.network = network
        self.size_bytes: int | None = None
        self._device = device
        self._open_bytes = 0
        self._has_run = False

    def arrive(self) -> None:
        """Open the session, and run it once where its inputs' sizes are known.

        It is measured when it comes for the first time. Later it may come while a chunk is decoded beside it,
        whose memory would be taken for its own, for ever.
        """
        give_back()
        before = taken_bytes(self._device)
        self.network.open()
        give_back()  # of what loading took beside
        if self.size_bytes is None:
            self._open_bytes = max(taken_bytes(self._device) - before, self.network.file_bytes)
            self._note(self._open_bytes)
        blank = self.network.blank()
        if blank is not None:
            self._run_once(blank)

    def _run_once(self, blank: Mapping[str, NDArray[Any]]) -> None:
        try:
            with self.watched():
                self.network.warm(blank)
        except Exception:
            self.leave()  # nobody counts what did not arrive
            raise

    def settle(self) -> None:
        """Do nothing: it is there."""

    def leave(self) -> None:
        """Close the session."""
        self.network.close()
        give_back()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See what the first pass takes; the later ones take as much."""
        if self._has_run:
            yield
            return
        with Peak(lambda: taken_bytes(self._device)) as peak:
            yield
        self._has_run = True
        self._note(self._open_bytes + peak.more_bytes)

    def _note(self, size_bytes: int) -> None:
        self.size_bytes = max(size_bytes, self.size_bytes or 0)


def open_network(
    path: Path, *, name: str = "", may_round: bool = False, residency: Residency | None = None
) -> OnnxNetwork:
    """Return the network in `path`, open, within this worker's memory; one object for all who ask.

    `name` is what people know the file by, where it is a working copy. `may_round` says that it paints, and
    may compute in 16 bits where the operator wants it; those that find faces and tell them apart may not.

    Raises:
        PackageMissing: onnxruntime is not installed.
        ModelUnusable: it is no network that can be run.
        BudgetTooSmall: it does not fit; the message says what would do.
    """
    facts = path.stat()
    of = (facts.st_mtime_ns, facts.st_size)
    return _opened(path, of, name or path.name, may_round, residency or this_residency())


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
def _opened(
    path: Path, _written: tuple[int, int], name: str, may_round: bool, residency: Residency
) -> OnnxNetwork:
    @contextmanager
    def guard() -> Iterator[None]:
        with residency.use(network.place), tenant.watched():
            yield

    network = OnnxNetwork(path, _session_settings(residency, may_round=may_round), guard=guard, is_open=False)
    network.name = name
    tenant = SessionTenant(network, best_device())
    network.place = residency.add(PurePath(name).stem, tenant)
    try:
        with residency.use(network.place):
            return network
    except Exception:
        residency.forget(network.place)
        raise


def _session_settings(residency: Residency, *, may_round: bool) -> SessionSettings:
    settings = settings_of(EngineConfig.from_environment())
    return SessionSettings(
        provider=str(settings["onnx.provider"]),
        has_gpu=best_device().type == "cuda",
        may_round=may_round,
        half=may_round and bool(settings["inference.amp_enabled"]),
        arena_bytes=residency.room_bytes,
        engines=models_directory() / _ENGINES,
    )
