"""The ways to change a face, one file per engine. `open_swapper` is how the rest of the package gets one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from broker.config import models_directory
from broker.installed import Model, ModelStore
from workers.errors import UnknownEngine
from workers.models.installed import installed_models
from workers.swappers.contract import Swapper

__all__ = ["engine_names", "open_swapper", "this_store"]

# Modules are named, not imported: a worker that only passes frames through must not load torch.
_ENGINES = {
    "passthrough": ("workers.swappers.passthrough", "Passthrough"),
    "portrait": ("workers.swappers.portrait", "PortraitSwapper"),
}


def engine_names(store: ModelStore | None = None) -> tuple[str, ...]:
    """Return the names of the engines that `open_swapper` knows, sorted: its own, and installed networks."""
    return tuple(sorted({*_ENGINES, *_networks(store or this_store())}))


def this_store() -> ModelStore:
    """Return this machine's own store of models."""
    return ModelStore(models_directory())


def open_swapper(
    name: str, store: ModelStore | None = None, *, others: Mapping[str, str] | None = None
) -> Swapper:
    """Return a fresh swapper; its models are loaded, but `warm` has not run.

    `store` holds the installed swap networks, each an engine by its name; by default this machine's own.
    `others` are an operator's own engines by name: "module:Class", a class that keeps `Swapper`'s contract.

    Raises:
        UnknownEngine: no engine of that name; the message lists those that are there.
        WeightsRejected: the engine's weights are missing or not the ones that were shipped.
        ModelMissing: it needs a model that is not installed.
        ModelUnusable: an installed file is spoiled, or not what it is installed as.
        PackageMissing: the extra `models` is not installed.
    """
    if name in {**_ENGINES, **(others or {})}:
        module, kind = _ENGINES.get(name) or (others or {})[name].split(":")
        return cast("Swapper", getattr(importlib.import_module(module), kind)())
    store = store or this_store()
    networks = _networks(store)
    if name not in networks:
        raise UnknownEngine(
            f"no engine {name!r} here; there are: {', '.join(engine_names(store))}; "
            f"`farm models pull {name}` or `farm models add PATH` installs a swap network"
        )
    opening = importlib.import_module("workers.swappers.identity.opening")
    return cast("Swapper", opening.open_identity(store, networks[name]))


def _networks(store: ModelStore) -> dict[str, Model]:
    return {name: model for name, model in installed_models(store).items() if model.kind == "swapper"}
