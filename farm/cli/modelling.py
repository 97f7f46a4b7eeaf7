"""What `farm models` does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from broker.clock import SystemClock
from broker.config import models_directory
from broker.installed import Model, ModelStore
from farm.cli.exits import DONE, FAILED
from farm.cli.wording import columns, json_line, size
from farm.config import absolute_path
from farm.modelstore import arrival, registry
from farm.modelstore.catalogue import KnownModel, known_models
from farm.modelstore.pull import Puller

#: Bytes between two lines of progress.
_STEP_BYTES = 16 << 20


def show_models(*, as_json: bool) -> int:
    """Print what is installed, and what is known."""
    store = _store()
    models = registry.read(store)
    others = [known for known in known_models().values() if known.name not in models]
    if as_json:
        told = [_told(store, model) for model in models.values()]
        body = {"directory": str(store.directory), "installed": told, "known": [_known(k) for k in others]}
        sys.stdout.write(json_line(body))
        return DONE
    rows = [_row(model) for model in models.values()]
    rows += [(known.name, known.kind, "-", _way(known), known.licence) for known in others]
    table = columns(("MODEL", "KIND", "SIZE", "STATE", "LICENCE"), rows)
    sys.stdout.write(f"{table}\n\nmodels lie in {store.directory}\n")
    return DONE


def add_model(path: Path, *, name: str | None, contract: str | None, licence: str, as_json: bool) -> int:
    """Install a user's own copy."""
    store = _store()
    said = arrival.Introduction(name=name, contract=contract, licence=licence)
    return _say_installed(store, arrival.add(store, absolute_path(path), said), as_json=as_json)


def pull_model(name: str, *, accepts_licence: bool, as_json: bool) -> int:
    """Download a known model."""
    store = _store()
    puller = Puller(store=store, clock=SystemClock(), on_progress=_Progress())
    return _say_installed(store, puller.pull(name, accepts_licence=accepts_licence), as_json=as_json)


def verify_models(name: str | None, *, as_json: bool) -> int:
    """Check one model, or all; the exit code says whether all are well."""
    store = _store()
    models = registry.read(store) if name is None else {name: registry.installed(store, name)}
    found = {name: registry.verify(store, model) for name, model in models.items()}
    if as_json:
        sys.stdout.write(json_line({name: problem or "ok" for name, problem in found.items()}))
    else:
        sys.stdout.writelines(f"{name}: {problem or 'ok'}\n" for name, problem in found.items())
    if any(found.values()):
        sys.stderr.write("hint: `farm models add` or `pull` puts a model back; `remove` takes it out\n")
        return FAILED
    return DONE


def remove_model(name: str, *, as_json: bool) -> int:
    """Delete an installed model."""
    store = _store()
    model = registry.remove(store, name)
    told = json_line(_told(store, model)) if as_json else f"removed {name}\n"
    sys.stdout.write(told)
    return DONE


class _Progress:
    """Says how far a download is, every so many bytes, on stderr."""

    def __init__(self) -> None:
        self._said = 0

    def __call__(self, done: int, total: int | None) -> None:
        if done < self._said:
            self._said = 0
        if done - self._said >= _STEP_BYTES or done == total:
            self._said = done
            of = f" of {size(total)}" if total is not None else ""
            sys.stderr.write(f"{size(done)}{of}\n")


def _store() -> ModelStore:
    return ModelStore(models_directory())


def _say_installed(store: ModelStore, model: Model, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json_line(_told(store, model)))
        return DONE
    sys.stdout.write(f"installed {model.name} in {store.directory / model.name}\n")
    if model.hash_from == "first seen":
        sys.stderr.write(
            "note: no published digest is known of all its files; those that came were recorded, and every "
            "use is held to them\n"
        )
    if model.terms:
        sys.stderr.write(f"terms: {model.licence}. {model.terms}\n")
    return DONE


def _told(store: ModelStore, model: Model) -> dict[str, Any]:
    return {**model.to_json(), "digest": model.digest, "directory": str(store.directory / model.name)}


def _known(known: KnownModel) -> dict[str, Any]:
    return {
        "name": known.name,
        "kind": known.kind,
        "about": known.about,
        "licence": known.licence,
        "terms": known.terms,
        "page": known.page,
        "can_pull": bool(known.downloads),
    }


def _row(model: Model) -> tuple[str, ...]:
    num_bytes = sum(file.size_bytes for file in model.files)
    return model.name, model.kind, size(num_bytes), f"installed ({model.digest[:12]})", model.licence


def _way(known: KnownModel) -> str:
    return "can be pulled" if known.downloads else "add your own copy"
