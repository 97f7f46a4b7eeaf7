"""The models that the farm knows: what they are made of, whose they are, and on what terms.

The table is `catalogue.json`. SHA-256 digests are those that are published for the file, by its publisher or,
for the InsightFace models, alike by several projects that pin them; null where none is known to us. `url` is
the publisher's own; null where the publisher offers no download, or not in this form. `parts` names the
files of a bundle that come under licences of their own.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.installed import Kind

_TABLE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file of a known model; an archive stands for the files in it."""

    name: str
    url: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model that the farm knows, installed or not."""

    name: str
    about: str
    kind: Kind
    contract: str
    files: tuple[KnownFile, ...]  # as they lie in the store
    archive: KnownFile | None = None  # what is downloaded in their place
    licence: str
    terms: str
    is_free: bool  # commercial use is allowed, as far as is known
    page: str

    @property
    def downloads(self) -> tuple[KnownFile, ...]:
        """Return what must be downloaded; empty where the publisher offers nothing."""
        wanted = (self.archive,) if self.archive is not None else self.files
        return wanted if all(file.url for file in wanted) else ()

    def file(self, name: str) -> KnownFile | None:
        """Return its file of that name."""
        return next((file for file in self.files if file.name == name), None)


@functools.cache
def known_models() -> dict[str, KnownModel]:
    """Return all known models by name."""
    body = json.loads(_TABLE.read_text())
    return {entry["name"]: _known(entry, body["terms"]) for entry in body["models"]}


def known_by_digest(sha256: str) -> tuple[KnownModel, KnownFile] | None:
    """Return the known model that a file belongs to, told by its digest alone."""
    for model in known_models().values():
        for file in model.files:
            if file.sha256 == sha256 and len(model.files) == 1:
                return model, file
    return None


def _known(entry: dict[str, Any], terms: dict[str, str]) -> KnownModel:
    files = tuple(KnownFile(**file) for file in entry["files"])
    parts = "".join(f" {file}: {licence}." for file, licence in entry.get("parts", {}).items())
    archive = KnownFile(**entry["archive"]) if "archive" in entry else None
    told = {name: value for name, value in entry.items() if name != "parts"}
    said = terms[entry["licence"]] + parts
    return KnownModel(**{**told, "files": files, "archive": archive, "terms": said})
