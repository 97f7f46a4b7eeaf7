"""What this process has opened to change faces with, and what that takes of the device's memory."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from broker.fingerprint import Fingerprint
from broker.messages import CAST, LOOK, EncodeSpec, FuseSpec, RenderChunk
from workers.fingerprint import fingerprint
from workers.people import Looker, open_looker
from workers.stages.running import Stages
from workers.swappers import open_swapper, this_store
from workers.swappers.contract import OnRuntime, Planned, Resident, Swapper

if TYPE_CHECKING:
    from workers.engine.residency import Residency

log = logging.getLogger(__name__)


class Engines:
    """Swappers by name, the stages after them, what looks for people: each opened when first asked for."""

    def __init__(self, others: Mapping[str, str]) -> None:
        """Know the farm's engines, and `others` by the names of their classes."""
        self.stages = Stages(this_store())
        self._others = others
        self._swappers: dict[str, Swapper] = {}

    def swapper(self, name: str) -> Swapper:
        """Return the swapper of this name.

        Raises:
            RenderError: there is none, or it cannot be opened.
        """
        if name not in self._swappers:
            self._swappers[name] = open_swapper(name, others=self._others)
        return self._swappers[name]

    @functools.cached_property
    def looker(self) -> Looker:
        """What looks for people."""
        return open_looker()

    def models(self, fuse: FuseSpec) -> dict[str, str]:
        """Return the SHA-256 digests, by name, of all weights that a job uses."""
        own = self.swapper(fuse.engine).models(fuse)
        return {**own, **self.stages.models(fuse), **self._looks(fuse)}

    def fingerprint(self, fuse: FuseSpec, encode: EncodeSpec | None) -> Fingerprint:
        """Return what the pixels of a job rest on here."""
        return fingerprint(self.swapper(fuse.engine), fuse, encode, self.stages, self._looks(fuse))

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return what users of a job should know of what its networks run on."""
        swapper = self.swapper(fuse.engine)
        own = swapper.notes(fuse) if isinstance(swapper, OnRuntime) else ()
        return (*own, *self.stages.notes(fuse))

    def prefetching(self, chunk: RenderChunk) -> AbstractContextManager[None]:
        """Have a chunk's networks on their way while the block runs: they are needed with its first face."""
        held = _held()
        if held is None:
            return nullcontext()
        from workers.engine.prefetching import prefetching  # noqa: PLC0415 - only where torch is loaded

        return prefetching(held, self._places(chunk))

    def _places(self, chunk: RenderChunk) -> tuple[str, ...]:
        if chunk.work == LOOK:
            return self.looker.places(chunk.fuse)
        swapper = self.swapper(chunk.fuse.engine)
        own = swapper.places(chunk.fuse) if isinstance(swapper, Resident) else ()
        return (*own, *self.stages.places(chunk.fuse))

    def plan(self) -> str:
        """Return what the engines do with the device's memory: one line, empty where none plans it."""
        planned = ((name, one) for name, one in self._swappers.items() if isinstance(one, Planned))
        plans = [f"{name}: {one.plan}" for name, one in planned]
        held = _held()
        return " | ".join(plans if held is None else [*plans, f"in memory: {held}"])

    def limit_bytes(self) -> int:
        """Return the budget of all networks together; 0 where there is none."""
        held = _held()
        return 0 if held is None else held.limit_bytes or 0

    def _looks(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the digests of the weights that a job looks for people with."""
        return self.looker.models(fuse) if fuse.faces == CAST else {}


def _held() -> Residency | None:
    """Return what keeps this process's networks in memory; None where none was opened."""
    # Not imported for this: a worker that only passes frames through must not load torch.
    budget = sys.modules.get("workers.engine.budget")
    return None if budget is None else budget.this_residency()
