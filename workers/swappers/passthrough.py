"""Changes nothing: what the farm itself is checked with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from broker.messages import FuseSpec
from workers.frames import Frame
from workers.swappers.contract import Source


class Passthrough:
    """A swapper that leaves every picture alone. It looks at no portrait and at no neighbouring frame."""

    name = "passthrough"
    radius = 0
    knows_shots = True

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return nothing: no network is used."""
        del fuse
        return {}

    def warm(self) -> None:
        """Do nothing: there is nothing to warm."""

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        """Return a source without faces, whatever `portrait` holds."""
        del portrait, fuse
        return Source()

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        """Yield every frame that is not context, untouched: the same objects, in order."""
        del source, fuse
        return (frame for frame in frames if not frame.is_context)
