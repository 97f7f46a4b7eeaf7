"""The stages that a job asks for beside its engine: installed networks, each opened when first needed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TypeVar

from broker.installed import SEGMENTING, Kind, Model, ModelFile, ModelStore
from broker.messages import BOX, HULL, FuseSpec
from workers.config import EngineConfig
from workers.engine.budget import this_residency
from workers.engine.modules import open_module
from workers.engine.sessions import open_network, troubles
from workers.engine.settings import settings_of
from workers.errors import ModelMissing, ModelUnusable
from workers.face.box_mask import BLUR, NO_PADDING
from workers.masking.masks import Masks
from workers.masking.opening import MaskMaker
from workers.models.installed import checked_file, installed_models
from workers.models.onnx_session import OnnxNetwork
from workers.models.onnx_shapes import PictureNetwork
from workers.models.spandrel_network import SpandrelNetwork
from workers.stages.contracts import RESTORERS, UPSCALERS
from workers.stages.restorer import Restorer
from workers.stages.tiling import tile_for
from workers.stages.upscaler import Upscaler

T = TypeVar("T")

_ONNX = "onnxruntime"

#: Suffixes of networks: ONNX ones, and those that spandrel reads.
_NETWORKS = frozenset({".onnx", ".pth", ".pt", ".ckpt", ".safetensors"})

#: How the command line calls the two kinds.
_OPTIONS: dict[Kind, str] = {"restorer": "--restore", "upscaler": "--upscale"}


class StageNetworks:
    """The restoring and enlarging networks of a worker."""

    def __init__(self, store: ModelStore) -> None:
        """Take the store that holds them; nothing is opened yet."""
        self._store = store
        self._onnx: dict[str, OnnxNetwork] = {}  # by model
        self._foreign: dict[str, str] = {}  # by model: places of other people's torch modules in memory
        self._masks = MaskMaker(store)
        # By digest, too: a model that is added anew is another.
        self._restorers: dict[tuple[str, str], Restorer] = {}
        self._upscalers: dict[tuple[str, str], Upscaler] = {}

    def restorer(self, name: str) -> Restorer:
        """Return the network that restores faces under that name.

        Raises:
            ModelMissing: none is installed; the message says how to get it.
            ModelUnusable: its file is spoiled, or not of its contract.
            PackageMissing: the extra `models` is not installed.
        """
        model = self._model(name, "restorer")
        key = name, model.digest
        if key not in self._restorers:
            contract = _contract(model, RESTORERS)
            self._restorers[key] = Restorer(self._network(model), contract)
        return self._restorers[key]

    def upscaler(self, name: str) -> Upscaler:
        """Return the network that enlarges pictures under that name.

        Raises:
            ModelMissing, ModelUnusable, PackageMissing: as `restorer`.
            BudgetTooSmall: the worker's memory does not hold the smallest tile.
        """
        model = self._model(name, "upscaler")
        key = name, model.digest
        if key not in self._upscalers:
            contract = _contract(model, UPSCALERS)
            tile_px = tile_for(contract, settings_of(EngineConfig.from_environment()))
            self._upscalers[key] = Upscaler(self._network(model), contract, tile_px=tile_px)
        return self._upscalers[key]

    def face_masks(self, fuse: FuseSpec) -> Masks:
        """Return which part of a crop is restored: a face's outline, less what the job's masks leave alone.

        Raises:
            ModelMissing, ModelUnusable, PackageMissing: as `MaskMaker`.
        """
        kinds = (BOX, HULL, *(kind for kind in fuse.mask if kind in SEGMENTING))
        asked = replace(fuse, mask=kinds, mask_blur=BLUR, mask_padding=NO_PADDING)
        return self._masks.masks(asked)

    def parts(self, fuse: FuseSpec) -> dict[str, str]:
        """Return what a job's pixels depend on beside the digests: runtimes, and the tile.

        Everything is opened for it, and refused as `upscaler` says.
        """
        found = {f"{one.name} runs on": one.provider for one in self._all_opened(fuse)}
        if fuse.upscale is not None:
            found["upscaling tile"] = str(self.upscaler(fuse.upscale).tile_px)
        runtimes = {_runtime(_network_file(model)) for model in self._models(fuse)}
        return found | {name: importlib.metadata.version(name) for name in runtimes}

    def places(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return the names, among what the worker keeps in memory, of those of a job that are opened."""
        foreign = (self._foreign[name] for name in (fuse.restore, fuse.upscale) if name in self._foreign)
        return (*(one.place for one in self._opened(fuse)), *foreign)

    def notes(self, fuse: FuseSpec) -> tuple[str, ...]:
        """Return what users of a job should know of what its networks run on. Raises as `parts`."""
        return troubles(self._all_opened(fuse))

    def digests(self, fuse: FuseSpec) -> dict[str, str]:
        """Return the SHA-256 digests, by name, of the networks that a job asks for. Raises as `restorer`."""
        return {model.name: model.digest for model in self._models(fuse)}

    def _all_opened(self, fuse: FuseSpec) -> list[OnnxNetwork]:
        if fuse.restore is not None:
            self.restorer(fuse.restore)
        if fuse.upscale is not None:
            self.upscaler(fuse.upscale)
        return self._opened(fuse)

    def _opened(self, fuse: FuseSpec) -> list[OnnxNetwork]:
        names = (fuse.restore, fuse.upscale)
        return [self._onnx[name] for name in names if name in self._onnx]

    def _models(self, fuse: FuseSpec) -> Iterator[Model]:
        if fuse.restore is not None:
            yield self._model(fuse.restore, "restorer")
        if fuse.upscale is not None:
            yield self._model(fuse.upscale, "upscaler")

    def _model(self, name: str, kind: Kind) -> Model:
        model = installed_models(self._store).get(name)
        if model is None:
            raise ModelMissing(
                f"{_OPTIONS[kind]} {name} is not installed here: `farm models pull {name}` gets it, "
                f"`farm models add PATH --name {name}` takes your own copy"
            )
        if model.kind != kind:
            raise ModelUnusable(
                f"{_OPTIONS[kind]} wants a model of the kind {kind}, and {name} is one of {model.kind}"
            )
        return model

    def _network(self, model: Model) -> PictureNetwork:
        file = _network_file(model)
        path = checked_file(self._store, model, file)
        if _runtime(file) != _ONNX:
            this_residency().make_way()
            foreign = SpandrelNetwork(path)
            self._foreign[model.name], foreign.guard = open_module(foreign.module, model.name)
            return foreign
        self._onnx[model.name] = open_network(path, may_round=True)
        return self._onnx[model.name]


def _network_file(model: Model) -> ModelFile:
    """Return the network among a model's files.

    Raises:
        ModelUnusable: there is none, or more than one.
    """
    networks = [file for file in model.files if PurePosixPath(file.name).suffix.lower() in _NETWORKS]
    if len(networks) != 1:
        raise ModelUnusable(f"model {model.name} has {len(networks)} networks, and must have one")
    return networks[0]


def _runtime(file: ModelFile) -> str:
    """Return the package that runs a network: its release is a part of what pixels depend on."""
    return _ONNX if file.name.lower().endswith(".onnx") else "spandrel"


def _contract(model: Model, table: Mapping[str, T]) -> T:
    if model.contract not in table:
        raise ModelUnusable(
            f"model {model.name} has the contract {model.contract!r}; known are {', '.join(sorted(table))}"
        )
    return table[model.contract]
