"""The ways to change a face, one file per engine. `open_swapper` is how the rest of the package gets one."""

from __future__ import annotations

from collections.abc import Callable

from workers.errors import UnknownEngine
from workers.swappers.contract import Swapper

__all__ = ["engine_names", "open_swapper"]


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
    return _ENGINES[name]()


# Imports wait inside these functions: a worker that only passes frames through must not load torch.


def _passthrough() -> Swapper:
    from workers.swappers.passthrough import Passthrough

    return Passthrough()


def _portrait() -> Swapper:
    from workers.swappers.portrait import PortraitSwapper

    return PortraitSwapper()


_ENGINES: dict[str, Callable[[], Swapper]] = {"passthrough": _passthrough, "portrait": _portrait}
