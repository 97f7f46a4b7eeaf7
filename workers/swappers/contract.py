"""What every way of changing a face has in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from broker.messages import FuseSpec
from workers.frames import Face, Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source portrait, looked at once and kept as long as its job runs."""

    faces: tuple[Face, ...] = ()  # every face found, left to right
    chosen: int | None = None  # index into `faces`
    prepared: Any = field(default=None, repr=False)  # what the swapper needs of it
    others: tuple[Source, ...] = ()  # the job's further sources: number 1, 2 and so on

    @property
    def all(self) -> tuple[Source, ...]:
        """All sources of the job, by their numbers."""
        return (self, *self.others)


@runtime_checkable
class Planned(Protocol):
    """A swapper that divides a memory budget, and says how."""

    @property
    def plan(self) -> str:
        """The plan as it is now, in one line."""


@runtime_checkable
class Resident(Protocol):
    """A swapper whose networks share the worker's memory with others, and may be away."""

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return the names, among what the worker keeps in memory, of what every frame of a job needs."""


@runtime_checkable
class OnRuntime(Protocol):
    """A swapper that may run installed networks, by ONNX Runtime."""

    def provider(self, fuse: FuseSpec) -> str:
        """Return what they run on in jobs with these settings: "cuda", say; empty where there are none."""

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return what users of such jobs should know of it: that they do not run on what was asked for."""


@runtime_checkable
class KnowsShots(Protocol):
    """A swapper that heeds `Frame.begins_shot`: one stream of many pictures lets it fill its passes.

    Any other is run anew for each picture.
    """

    knows_shots: bool


class Swapper(Protocol):
    """Changes the faces in a stream of frames.

    What is done to frame t depends on frames [t - radius, t + radius] and on nothing else: that is why
    nobody can see where chunks begin. The farm sends that many frames of context on both sides.
    """

    name: str
    radius: int

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the SHA-256 digests, by name, of all the weights that a job with these settings uses."""

    def warm(self) -> None:
        """Do one real pass at real shape, so that the first chunk does not pay for it."""

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        """Look at a source portrait (the bytes of a picture file).

        Raises:
            SourceUnusable: not a picture, no face, or not the face that was asked for.
        """

    def run(self, frames: Iterable[Frame], source: Source, fuse: FuseSpec) -> Iterator[Frame]:
        """Yield every frame that is not context, in order, with its faces changed.

        Pixels outside the fused region are the input's own, bit for bit; the decoder's pictures are
        never written to. Frames say where faces were fused (`Frame.faces`): no others can be restored.
        """
