"""Who is in a video, as workers see it: faces linked from frame to frame, each with a picture."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, cast

from broker.messages import FuseSpec
from broker.people import ChunkSeen
from workers.frames import Frame

__all__ = ["Looker", "open_looker"]


class Looker(Protocol):
    """Looks through chunks. See `workers.people.looker.Looker`."""

    radius: int

    @property
    def recogniser(self) -> str:
        """The name of the model that tells people apart; empty: there is none."""

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the SHA-256 digests, by name, of all weights that are used to look."""

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return the names, among what the worker keeps in memory, of what frames are looked at with."""

    def embedding(self, portrait: bytes, fuse: FuseSpec) -> bytes:
        """Return who is on a reference portrait."""

    def look(
        self,
        span: range,
        frames: Iterable[Frame],
        fuse: FuseSpec,
        note: Callable[[int], None] = lambda _: None,
    ) -> ChunkSeen:
        """Return what is seen in a chunk's own frames, `span`."""


def open_looker() -> Looker:
    """Return what looks for people here. Torch is loaded only now: not every worker is ever asked to."""
    return cast("Looker", importlib.import_module("workers.people.looker").Looker())
