"""Get a known model from its own publisher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from broker.clock import Clock
from broker.installed import Model, ModelStore
from farm.errors import ModelRefused
from farm.modelstore.arrival import Introduction, aside, settle, unpack
from farm.modelstore.catalogue import KnownFile, KnownModel, known_models
from farm.modelstore.download import OnProgress, fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class Puller:
    """What a download needs beside the model's name."""

    store: ModelStore
    clock: Clock
    on_progress: OnProgress

    def pull(self, name: str, *, accepts_licence: bool) -> Model:
        """Download, check and install a known model.

        Raises:
            ModelRefused: it is not known, its publisher offers no download, its terms were not accepted, or
                what came is not the known file.
            DownloadFailed: it could not be downloaded.
        """
        known = wanted(name)
        check_accepted(known, accepts_licence=accepts_licence)
        if not known.downloads:
            raise ModelRefused(
                f"the publisher of {name} offers no download in this form",
                hint=f"see {known.page}; then `farm models add PATH --name {name}`",
            )
        paths = [self._fetched(name, file) for file in known.downloads]
        with aside(self.store) as directory:
            for path in paths:
                if known.archive is not None:
                    unpack(path, directory)
                    path.unlink()
                else:
                    path.rename(directory / path.name)
            model = settle(self.store, directory, Introduction(name=name), default_name=name)
        self._kept(name).rmdir()
        return model

    def _fetched(self, name: str, file: KnownFile) -> Path:
        path = self._kept(name) / file.name
        if not path.exists():  # it is, where a later file of the model broke off
            fetch(file, path, self.clock, self.on_progress)
        return path

    def _kept(self, name: str) -> Path:
        """Where downloads lie until they are whole; a broken one is kept for the next try."""
        directory = self.store.directory / ".downloads" / name
        directory.mkdir(parents=True, exist_ok=True)
        return directory


def wanted(name: str) -> KnownModel:
    """Return a known model.

    Raises:
        ModelRefused: it is not known.
    """
    if name not in known_models():
        raise ModelRefused(f"no model {name!r} is known", hint="`farm models list` shows all that are")
    return known_models()[name]


def check_accepted(known: KnownModel, *, accepts_licence: bool) -> None:
    """Let nobody use a model whose terms bind without having said that they are met.

    Raises:
        ModelRefused: the terms bind, and were not accepted; the message is the terms.
    """
    if known.is_free or accepts_licence:
        return
    raise ModelRefused(
        f"{known.name} comes under: {known.licence}. {known.terms} See {known.page}",
        hint="if you may use it on these terms, say so with --accept-licence",
        code="licence-not-accepted",
    )
