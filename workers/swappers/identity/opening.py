"""From an installed model to an engine: every file checked, every network opened under its contract."""

from __future__ import annotations

from pathlib import Path

from broker.installed import SWAPPERS_OWN, Model, ModelFile, ModelStore
from workers.analysers.opening import Analysers
from workers.analysers.own import own_finder
from workers.analysers.recogniser import Recogniser
from workers.config import EngineConfig
from workers.engine.sessions import open_network
from workers.engine.settings import settings_of
from workers.errors import ModelMissing, ModelUnusable
from workers.masking.opening import MaskMaker
from workers.models.installed import checked_file, first_file
from workers.models.onnx_copy import WorkingCopy, working_copy
from workers.models.onnx_session import OnnxNetwork
from workers.swappers.identity.contracts import CONTRACTS, Contract
from workers.swappers.identity.damo import CONTRACT as DAMO
from workers.swappers.identity.damo import open_damo
from workers.swappers.identity.engine import IdentitySwapper
from workers.swappers.identity.network import SwapNetwork
from workers.swappers.identity.source import SourceEncoder, read_emap

CONVERTER_PREFIX = "crossface_"

#: Below this the memory that a copy saves while a network is loaded is not worth the disk.
_LARGE_BYTES = 64 * 2**20


def open_identity(store: ModelStore, model: Model) -> IdentitySwapper:
    """Return the engine of an installed swap network, with everything that it needs.

    Raises:
        ModelMissing: it needs another model that is not installed; the message says which, and how to get it.
        ModelUnusable: a file is spoiled, or not of the contract that it is installed under.
        PackageMissing: onnxruntime or onnx is not installed.
    """
    if model.contract == DAMO:
        return open_damo(store, model)
    if model.contract not in CONTRACTS:
        known = ", ".join(sorted({*CONTRACTS, DAMO}))
        raise ModelUnusable(f"model {model.name} has the contract {model.contract!r}; known are {known}")
    contract = CONTRACTS[model.contract]
    crops = int(settings_of(EngineConfig.from_environment())["inference.batch"] or 1)
    file = _main_file(model)
    copy = _copied(store, model, file, is_batched=crops > 1)
    encoder, others = _encoder(store, model, contract, copy.path)
    finder = own_finder()
    network = open_network(copy.path, name=Path(file.name).name, may_round=True)
    return IdentitySwapper(
        model.name,
        network=SwapNetwork(
            network, contract, pass_size=crops, is_apart=copy.is_apart and network.provider == "cpu"
        ),
        encoder=encoder,
        finder=finder,
        analysers=Analysers(finder, store),
        masks=MaskMaker(store),
        models={model.name: model.digest, **others},
    )


def _encoder(
    store: ModelStore, model: Model, contract: Contract, path: Path
) -> tuple[SourceEncoder, dict[str, str]]:
    """Return the source's encoder, and the digests of other models that it took."""
    if contract.source == "crop":
        return SourceEncoder(contract=contract), {}
    owner, file = _recogniser(store, model)
    encoder = SourceEncoder(
        contract=contract,
        recogniser=Recogniser(_opened(store, owner, file)),
        emap=read_emap(path) if contract.source == "emap" else None,
        converter=_converter(store, model) if contract.source.startswith("converted") else None,
    )
    return encoder, {owner.name: owner.digest}


def _recogniser(store: ModelStore, wanted_by: Model) -> tuple[Model, ModelFile]:
    found = first_file(store, SWAPPERS_OWN)
    if found is not None:
        return found
    raise ModelMissing(
        f"{wanted_by.name} needs a recogniser ({SWAPPERS_OWN[0]}), and none is installed here: "
        "`farm models pull buffalo_l` gets it, `farm models add w600k_r50.onnx` takes your own copy"
    )


def _main_file(model: Model) -> ModelFile:
    files = [file for file in model.files if not file.name.startswith(CONVERTER_PREFIX)]
    onnx = [file for file in files if file.name.endswith(".onnx")]
    if len(onnx) != 1:
        raise ModelUnusable(f"model {model.name} has {len(onnx)} networks, and must have one")
    return onnx[0]


def _converter(store: ModelStore, model: Model) -> OnnxNetwork:
    for file in model.files:
        if file.name.startswith(CONVERTER_PREFIX):
            return _opened(store, model, file)
    raise ModelUnusable(f"model {model.name} lacks its {CONVERTER_PREFIX}*.onnx, which fits embeddings to it")


def _opened(store: ModelStore, model: Model, file: ModelFile) -> OnnxNetwork:
    return open_network(_copied(store, model, file).path, name=Path(file.name).name)


def _copied(store: ModelStore, model: Model, file: ModelFile, *, is_batched: bool = False) -> WorkingCopy:
    """Return the file, or its working copy where that is of use: of a large one, or for batches."""
    path = checked_file(store, model, file)
    if not is_batched and file.size_bytes < _LARGE_BYTES:
        return WorkingCopy(path)
    return working_copy(path, file.sha256)
