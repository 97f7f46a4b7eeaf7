"""Which of the installed models tells who somebody is."""

from __future__ import annotations

from pathlib import Path

from broker.installed import RECOGNISERS, Model, ModelFile, ModelStore
from workers.analysers.recogniser import Recogniser
from workers.engine.sessions import open_network
from workers.models.installed import checked_file, installed_models


def recogniser_file(store: ModelStore, names: tuple[str, ...]) -> tuple[Model, ModelFile] | None:
    """Return the installed model, and the file of it, that has the first of these names."""
    for name in names:
        for model in installed_models(store).values():
            for file in model.files:
                if Path(file.name).name == name:
                    return model, file
    return None


def open_recogniser(store: ModelStore) -> tuple[Recogniser | None, dict[str, str]]:
    """Return what tells people apart, and its model's digest by its name; None and nothing without one.

    Raises:
        ModelUnusable: its file is spoiled, or no recogniser.
        PackageMissing: the extra `models` is not installed.
    """
    found = recogniser_file(store, RECOGNISERS)
    if found is None:
        return None, {}
    model, file = found
    return Recogniser(open_network(checked_file(store, model, file))), {model.name: model.digest}
