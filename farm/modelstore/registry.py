"""Changes to the registry: one process at a time, and whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.errors import ModelMissing, ModelSpoiled
from broker.installed import RECOGNISERS, REGISTRY, SEGMENTING, VERSION, Model, ModelStore
from farm.errors import ModelRefused
from farm.modelstore.catalogue import known_models


def read(store: ModelStore) -> dict[str, Model]:
    """Return the installed models by name.

    Raises:
        ModelRefused: the registry cannot be read.
    """
    try:
        return store.models()
    except ModelSpoiled as error:
        raise ModelRefused(
            str(error), hint=f"move {store.directory / REGISTRY} away, then add the models again"
        ) from error


def installed(store: ModelStore, name: str) -> Model:
    """Return an installed model.

    Raises:
        ModelRefused: it is not installed.
    """
    models = read(store)
    if name not in models:
        raise ModelRefused(
            str(ModelMissing(name)), hint="`farm models list` shows what is there", code="model-missing"
        )
    return models[name]


def check_installed(store: ModelStore, *names: str) -> None:
    """Refuse what needs a known model that is not installed, before anything is started for it.

    Names that the catalogue does not know pass: they may be the farm's own engines, or an operator's.

    Raises:
        ModelRefused: one is missing; the hint is the command that installs it.
    """
    models = read(store)
    for name in names:
        known = known_models().get(name)
        if known is None or name in models:
            continue
        pull = f"farm models pull {name}" + ("" if known.is_free else " --accept-licence")
        raise ModelRefused(
            f"the model {name} is not installed",
            hint=f"`{pull}`"
            if known.downloads
            else f"see {known.page}, then `farm models add PATH --name {name}`",
            code="model-missing",
        )


def check_masks(store: ModelStore, kinds: Iterable[str]) -> None:
    """Refuse masks that need a network that is not installed, before anything is started for them.

    Raises:
        ModelRefused: one is missing; the hint is the command that installs it.
    """
    contracts = {model.contract for model in read(store).values()}
    for kind in kinds:
        contract, known = SEGMENTING.get(kind, (None, ""))
        if contract is not None and contract not in contracts:
            raise ModelRefused(
                f"--mask {kind} needs a segmentation network, and none is installed",
                hint=f"`farm models pull {known} --accept-licence`",
                code="model-missing",
            )


def check_recogniser(store: ModelStore) -> None:
    """Refuse what needs to know who somebody is where nothing tells.

    Raises:
        ModelRefused: no recogniser is installed; the hint is the command that installs one.
    """
    names = {Path(file.name).name for model in read(store).values() for file in model.files}
    if not names & set(RECOGNISERS):
        raise ModelRefused(
            "people are found by a portrait with a recogniser, and none is installed",
            hint="`farm models pull buffalo_l --accept-licence`; or choose people without one: "
            "--face-at X,Y@MOMENT, or the numbers of `farm faces`",
            code="model-missing",
        )


def put(store: ModelStore, model: Model, files: Path) -> None:
    """Move a directory of files into the store as `model`, in the place of any model of that name."""
    with _locked(store):
        place = store.directory / model.name
        shutil.rmtree(place, ignore_errors=True)
        files.rename(place)
        _write(store, {**read(store), model.name: model})


def remove(store: ModelStore, name: str) -> Model:
    """Take a model and its files out of the store.

    Raises:
        ModelRefused: it is not installed.
    """
    with _locked(store):
        model = installed(store, name)
        models = read(store)
        del models[name]
        _write(store, models)
        shutil.rmtree(store.directory / name, ignore_errors=True)
    return model


def verify(store: ModelStore, model: Model) -> str | None:
    """Read all files of a model; return what is wrong, or None."""
    try:
        for file in model.files:
            store.checked(model, file)
    except ModelSpoiled as error:
        return str(error)
    return None


def _write(store: ModelStore, models: dict[str, Model]) -> None:
    body = {"version": VERSION, "models": [model.to_json() for model in models.values()]}
    descriptor, name = tempfile.mkstemp(dir=store.directory, prefix=f"{REGISTRY}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(body, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)  # workers may run as another user
    Path(name).replace(store.directory / REGISTRY)


@contextmanager
def _locked(store: ModelStore) -> Iterator[None]:
    store.directory.mkdir(parents=True, exist_ok=True)
    with (store.directory / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
