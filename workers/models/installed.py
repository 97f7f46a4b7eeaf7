"""Files of installed models, for workers: checked before they are opened, refused in the workers' words."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from broker.errors import ModelSpoiled
from broker.installed import Model, ModelFile, ModelStore
from workers.errors import ModelUnusable


def checked_file(store: ModelStore, model: Model, file: ModelFile) -> Path:
    """Return where a file of a model lies, once it is known to be the one that was installed.

    Raises:
        ModelUnusable: it is gone, cut, or another; the message names it.
    """
    try:
        return store.checked(model, file)
    except ModelSpoiled as error:
        raise ModelUnusable(f"{error}; `farm models verify` tells which files are") from error


def installed_models(store: ModelStore) -> dict[str, Model]:
    """Return all installed models by name.

    Raises:
        ModelUnusable: the registry cannot be read.
    """
    try:
        return store.models()
    except ModelSpoiled as error:
        raise ModelUnusable(str(error)) from error


def first_file(store: ModelStore, names: tuple[str, ...]) -> tuple[Model, ModelFile] | None:
    """Return the installed model, and the file of it, that has the first of these names; None: none has.

    Raises:
        ModelUnusable: the registry cannot be read.
    """
    for name in names:
        for model in installed_models(store).values():
            for file in model.files:
                if PurePosixPath(file.name).name == name:
                    return model, file
    return None
