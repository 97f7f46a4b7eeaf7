"""Colour transforms that hold for some frames: a face that looks as it did keeps those that it had."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from torch import Tensor

from workers.engine.fusion import FusionEngine
from workers.models.unet import FusionUNet, Survey

#: Frames in a block, whose first one's transforms may serve the others: a fifth of the convolutions are left.
#: A chunk brings BLOCK - 1 frames of context more; twice as many would spare a tenth more.
BLOCK = 5


class Place(NamedTuple):
    """Where in a video a face is."""

    frame: int  # its absolute index
    face: int  # which of that frame's, from the left


class Reuse:
    """Fuses the crops of one stream, one by one and in order, with transforms that may be an earlier crop's.

    That one is a crop's anchor. Which it is, is for the caller to say: the same person's, of the same shot.
    It serves where the two thumbnails differ by less than the engine's `reuse_threshold`, in mean over all
    values, 1 being the whole range; else the crop gets transforms of its own.

    What it costs: on a head that moves under noise no value of a frame is more than 1 of 255 off, and nothing
    flickers more (bench/reuse); in a clip that zooms 2 of 255, in one frame of seven (at 0.01). A light that
    changes by less than the threshold is followed a block late, at most. What it brings is small (a
    twentieth of a CPU's time), hence it is off unless asked for.
    """

    def __init__(self, engine: FusionEngine) -> None:
        """Use `engine`, whose network must be a `FusionUNet`: another has no transforms."""
        assert isinstance(engine.network, FusionUNet)
        self._engine = engine
        self._network = engine.network
        self._anchors: dict[Place, tuple[Tensor, Survey]] = {}
        self.num_reused = 0

    def fuse(self, x: Tensor, mask: Tensor, target: Tensor, own: Place, anchor: Place | None) -> Tensor:
        """Return one fused crop, (1, 3, S, S) in [0, 1]; see `FusionEngine.__call__`.

        `own` and `anchor` are where it and its anchor are: both the same, where later ones may name it.

        Raises:
            OutOfMemory: not even the foot of the ladder needs little enough.
        """
        return self._engine(x, mask, target, partial(self._survey, own, anchor))

    def _survey(
        self, own: Place, anchor: Place | None, x: Tensor, mask: Tensor, tile_px: int | None
    ) -> Survey:
        seen = self._network.thumbnail(x, mask, tile_px)
        kept = self._anchors.get(anchor) if anchor is not None and anchor != own else None
        if kept is not None and float((seen - kept[0]).abs().mean()) < self._engine.reuse_threshold:
            self.num_reused += 1
            return kept[1]
        survey = self._network.survey_of(seen)
        if own == anchor:
            self._keep(own, seen, survey)
        return survey

    def _keep(self, own: Place, seen: Tensor, survey: Survey) -> None:
        """Keep an anchor, and none of another frame: nobody will name those any more."""
        self._anchors = {place: kept for place, kept in self._anchors.items() if place.frame == own.frame}
        self._anchors[own] = seen, survey
