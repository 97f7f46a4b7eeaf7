"""damo's network as a swap network: crops and a source in, crops with that identity and jaw line out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from broker.installed import Model, ModelStore
from workers.analysers.opening import Analysers
from workers.analysers.own import own_finder
from workers.engine.budget import this_residency
from workers.engine.residency import Residency
from workers.engine.tenants import TorchTenant
from workers.errors import ModelUnusable, WeightsRejected
from workers.face import align
from workers.face.mask import Mask
from workers.face.pyramid import Pyramid
from workers.face.templates import landmarks_of
from workers.masking.opening import MaskMaker
from workers.models.damo.bundle import SIDE_PX, DamoBundle, load_bundle
from workers.models.damo.coefficients import GROUPS
from workers.models.damo.generator import Told
from workers.models.damo.jaw import fused_coefficients
from workers.models.device import best_device
from workers.models.installed import checked_file
from workers.swappers.identity.contracts import Contract
from workers.swappers.identity.engine import IdentitySwapper
from workers.swappers.identity.source import Likeness

#: What a model is installed as, to be this.
CONTRACT = "damo"

#: The template of its training is ArcFace's, shrunk to 0.85 about its centre: the one known as MTCNN's.
TERMS = Contract(
    side_px=SIDE_PX, template="mtcnn-512", source="crop", source_template="mtcnn-512", source_side_px=SIDE_PX
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DamoSource:
    """What of a source the network is told: computed once a job, since it depends on the portrait only."""

    shape: Tensor  # (1, 80): the identity's coefficients
    told: Told  # what the generator makes of the embedding


class DamoSwap:
    """The inference path from a crop to the fused face, and what it asks of a source."""

    contract = TERMS
    pass_size, is_apart = 1, True
    provider, notes = "", ()  # torch runs it

    def __init__(self, bundle: DamoBundle, residency: Residency | None = None) -> None:
        """Take the loaded directory, and what keeps it within the worker's memory, if anything does."""
        self._bundle = bundle
        self._residency = residency
        self.place = ""
        if residency is not None:
            networks = nn.ModuleList((bundle.network, bundle.backbone, bundle.reconstruction))
            self.place = residency.add("damo", TorchTenant(networks, bundle.device))

    @property
    def mask(self) -> Mask | None:
        """The part of a crop that is taken over, as its publisher has it; None: the farm's own."""
        return self._bundle.mask

    @torch.inference_mode()
    def encode(self, portraits: Sequence[Likeness]) -> DamoSource:
        """Return what the network is told of portraits of one person: the mean of embeddings and shapes."""
        with self._there():
            return self._encoded([self._tensor(_crop(portrait)) for portrait in portraits])

    def _encoded(self, crops: list[Tensor]) -> DamoSource:
        embedding = torch.stack([self._bundle.backbone(crop) for crop in crops]).mean(dim=0)
        shapes = [self._bundle.reconstruction(crop)[:, : GROUPS[0]] for crop in crops]
        told = self._bundle.network.generator.told(functional.normalize(embedding))
        return DamoSource(shape=torch.stack(shapes).mean(dim=0), told=told)

    @torch.inference_mode()
    def swap(self, crops: NDArray[np.float32], source: DamoSource) -> NDArray[np.float32]:
        """Return crops (N, 256, 256, 3), RGB in 0..1, with the source's identity, clipped to 0..1.

        They go through alone: a batch's size may show in the last bits.
        """
        with self._there():
            return np.stack([self._fused(crop, source) for crop in crops])

    swap_some = swap

    def _there(self) -> AbstractContextManager[object]:
        return nullcontext() if self._residency is None else self._residency.use(self.place)

    def _fused(self, crop: NDArray[np.float32], source: DamoSource) -> NDArray[np.float32]:
        target = self._tensor(crop)
        own = self._bundle.reconstruction(target)
        jaws = self._bundle.jaw(torch.cat((fused_coefficients(source.shape, own), own)))
        painted = self._bundle.network.paint(target, source.told, jaws[:1], jaws[1:])
        whole = torch.clamp(painted[0] * 0.5 + 0.5, 0, 1).permute(1, 2, 0)
        return np.ascontiguousarray(whole.float().cpu().numpy())

    def _tensor(self, crop: NDArray[np.float32]) -> Tensor:
        """Return a crop (256, 256, 3) in 0..1 as the networks take it: (1, 3, 256, 256) in -1..1."""
        planes = torch.from_numpy(crop).permute(2, 0, 1)[None] * 2 - 1
        return planes.to(self._bundle.device, memory_format=torch.channels_last)


def open_damo(store: ModelStore, model: Model) -> IdentitySwapper:
    """Return the engine of an installed copy of damo's directory.

    Raises:
        ModelUnusable: a file is spoiled, missing, or not the published one.
        PackageMissing: scipy is not installed, which reads the face model.
        BudgetTooSmall: it does not fit into the worker's memory.
    """
    residency = this_residency()
    residency.make_way()
    names = {str(PurePosixPath(file.name).with_suffix("")): file for file in model.files}
    device = best_device()
    try:
        bundle = load_bundle({name: checked_file(store, model, file) for name, file in names.items()}, device)
    except WeightsRejected as error:
        raise ModelUnusable(f"model {model.name}: {error}") from error
    swap, finder = DamoSwap(bundle, None if residency.limit_bytes is None else residency), own_finder()
    return IdentitySwapper(
        model.name,
        network=swap,
        encoder=swap,
        finder=finder,
        analysers=Analysers(finder, store),
        masks=MaskMaker(store),
        models={model.name: model.digest},
    )


def _crop(portrait: Likeness) -> NDArray[np.float32]:
    goal = landmarks_of(TERMS.source_template, SIDE_PX)
    crop = Pyramid(portrait.picture).crop(align.similarity(portrait.landmarks, goal), SIDE_PX)
    return np.asarray(crop, np.float32) / np.float32(255)
