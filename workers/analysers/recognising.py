"""Which of the installed models tells who somebody is."""

from __future__ import annotations

from broker.installed import RECOGNISERS, ModelStore
from workers.analysers.recogniser import Recogniser
from workers.engine.sessions import open_network
from workers.models.installed import checked_file, first_file


def open_recogniser(store: ModelStore) -> tuple[Recogniser | None, dict[str, str]]:
    """Return what tells people apart, and its model's digest by its name; None and nothing without one.

    Raises:
        ModelUnusable: its file is spoiled, or no recogniser.
        PackageMissing: the extra `models` is not installed.
    """
    found = first_file(store, RECOGNISERS)
    if found is None:
        return None, {}
    model, file = found
    return Recogniser(open_network(checked_file(store, model, file))), {model.name: model.digest}
