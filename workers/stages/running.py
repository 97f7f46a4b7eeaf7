"""What is done to a job's frames after its engine: the stages that it asks for, in their order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from broker.installed import ModelStore
from broker.messages import SHOWN, FuseSpec
from workers.frames import Frame

if TYPE_CHECKING:
    from workers.stages.opening import StageNetworks

# ruff: noqa: PLC0415 - a worker that only passes frames through must not load torch


class Stages:
    """Restoring first, in the frame's own size, then enlarging. Each frame is looked at alone."""

    def __init__(self, store: ModelStore) -> None:
        """Take the store that holds the networks."""
        self._store = store

    @staticmethod
    def wanted(fuse: FuseSpec) -> bool:
        """Say whether a job asks for any."""
        return fuse.restore is not None or fuse.upscale is not None

    def models(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return the SHA-256 digests, by name, of the networks that a job asks for.

        Raises:
            ModelMissing, ModelUnusable: as `StageNetworks`.
        """
        return self._networks.digests(fuse) if self.wanted(fuse) else {}

    def parts(self, fuse: FuseSpec) -> Mapping[str, str]:
        """Return what else the pixels depend on. The networks are opened, if they were not, or refused.

        Raises:
            ModelMissing, ModelUnusable, PackageMissing, BudgetTooSmall: as `StageNetworks`.
        """
        return self._networks.parts(fuse) if self.wanted(fuse) else {}

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return which networks do not run on what was asked for, and why. Raises as `parts`."""
        return self._networks.notes(fuse) if self.wanted(fuse) else ()

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return the names, among what the worker keeps in memory, of the networks that a job asks for."""
        return self._networks.places(fuse) if self.wanted(fuse) else ()

    def run(
        self, frames: Iterable[Frame], fuse: FuseSpec, on_part: Callable[[], None] = lambda: None
    ) -> Iterator[Frame]:
        """Yield every frame, in order, with what was asked for done to it. Raises as `parts`.

        `on_part` is called after every part of a frame that is enlarged.
        """
        from workers.engine.budget import this_residency
        from workers.stages.enlarging import enlarged

        restoring = self._restoring(fuse)
        upscaler = None if fuse.upscale is None else self._networks.upscaler(fuse.upscale)
        with this_residency().hold(*self._networks.places(fuse)):
            for frame in frames:
                done = frame if restoring is None or not frame.faces else restoring(frame)
                yield done if upscaler is None else enlarged(done, upscaler, on_part)

    def _restoring(self, fuse: FuseSpec) -> Callable[[Frame], Frame] | None:
        """Return what restores the faces of a frame; None where nothing does."""
        from workers.stages.restoring import restored

        if fuse.restore is None or fuse.mode == SHOWN:  # a mask that is drawn over a face is no face
            return None
        return functools.partial(
            restored,
            restorer=self._networks.restorer(fuse.restore),
            masks=self._networks.face_masks(fuse),
            weight=fuse.restore_weight,
            fidelity=fuse.restore_fidelity,
        )

    @functools.cached_property
    def _networks(self) -> StageNetworks:
        from workers.stages.opening import StageNetworks

        return StageNetworks(self._store)
