"""The ways to change a face, one file per engine. `open_swapper` is how the rest of the package gets one."""

from __future__ import annotations

import importlib
from typing import cast

from workers.errors import UnknownEngine
from workers.swappers.contract import Swapper

__all__ = ["engine_names", "open_swapper"]

# Modules are named, not imported: a worker that only passes frames through must not load torch.
_ENGINES = {
    "passthrough": ("workers.swappers.passthrough", "Passthrough"),
    "portrait": ("workers.swappers.portrait", "PortraitSwapper"),
}


def engine_names() -> tuple[str, ...]:
    """Return the names of the engines that `open_swapper` knows, sorted."""
    return tuple(sorted(_ENGINES))


def open_swapper(name: str) -> Swapper:
    """Return a fresh swapper; its models are loaded, but `warm` has not run.

    Raises:
        UnknownEngine: no engine of that name; the message lists those that are there.
        WeightsRejected: the engine's weights are missing or not the ones that were shipped.
    """
    if name not in _ENGINES:
        raise UnknownEngine(f"no engine {name!r} here; there are: {', '.join(engine_names())}")
    module, kind = _ENGINES[name]
    return cast("Swapper", getattr(importlib.import_module(module), kind)())
