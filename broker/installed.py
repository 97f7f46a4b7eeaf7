"""The models installed on this machine: the registry file, as the farm writes it and as workers read it.

A store is a directory: `registry.json`, and one directory a model that holds its files. Whoever opens a model
checks its files against the registry first, so a file that was changed, cut or swapped is refused by name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from broker.errors import ModelMissing, ModelSpoiled

Kind = Literal["swapper", "analyser", "segmenter", "restorer", "upscaler"]

#: What a network of each contract makes of a picture's sides: outputs are planned by it, frames enlarged.
UPSCALING = {"esrgan-x2": 2, "esrgan-x4": 4, "esrgan-x8": 8}

REGISTRY = "registry.json"
VERSION = 1


#: Files that hold the recogniser whose embeddings swap networks were trained with: ArcFace R50 on
#: WebFace600K. Others give other numbers for the same face.
SWAPPERS_OWN = ("w600k_r50.onnx", "arcface_w600k_r50.onnx")

#: Files that tell people apart, the best first.
RECOGNISERS = (*SWAPPERS_OWN, "glintr100.onnx", "w600k_mbf.onnx")

#: Files that find many landmarks of a face, the best first: 106 of them, and 68 with their depths.
LANDMARKERS = ("2d106det.onnx", "1k3d68.onnx")

#: Kind of mask → the contract of the network that it needs, and the known model that has it.
SEGMENTING = {"occlusion": ("xseg", "xseg_1"), "region": ("bisenet", "bisenet_resnet_34")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model."""

    name: str  # path below the model's directory, with forward slashes
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as the registry has it."""

    name: str
    kind: Kind
    contract: str  # how it is to be used: a name that workers know, as "inswapper"
    files: tuple[ModelFile, ...]
    licence: str
    terms: str  # in one or two sentences; empty where there is nothing to observe
    page: str  # where its publisher speaks of it
    hash_from: Literal["publisher", "first seen"]  # what the digests rest on

    @property
    def digest(self) -> str:
        """Return one SHA-256 for all files, whatever their order: what a job records of the model."""
        lines = sorted(f"{file.sha256}  {file.name}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the registry's form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Read the registry's form."""
        return cls(**{**body, "files": tuple(ModelFile(**file) for file in body["files"])})


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models below `directory`; an absent directory is an empty store."""

    directory: Path

    def models(self) -> dict[str, Model]:
        """Return all models by name, in the registry's order.

        Raises:
            ModelSpoiled: the registry cannot be read.
        """
        path = self.directory / REGISTRY
        try:
            body = json.loads(path.read_text())
            if body["version"] != VERSION:
                raise ModelSpoiled(f"{path} is of version {body['version']}, and {VERSION} is known here")
            return {entry["name"]: Model.from_json(entry) for entry in body["models"]}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelSpoiled(f"the model registry {path} cannot be read: {error}") from error

    def model(self, name: str) -> Model:
        """Return the model of that name.

        Raises:
            ModelMissing: it is not installed; the message names the command that installs it.
        """
        models = self.models()
        if name not in models:
            raise ModelMissing(name)
        return models[name]

    def path(self, model: Model, file: ModelFile) -> Path:
        """Return where a file of a model lies."""
        return self.directory / model.name / file.name

    def checked(self, model: Model, file: ModelFile) -> Path:
        """Return where a file lies, once it is known to be the one that was installed.

        Raises:
            ModelSpoiled: it is gone, cut, or another; the message names it.
        """
        path = self.path(model, file)
        try:
            found = path.stat().st_size
            if found != file.size_bytes:
                raise ModelSpoiled(f"{path} of model {model.name} has {found} bytes, not {file.size_bytes}")
            if digest_of(path) != file.sha256:
                raise ModelSpoiled(f"{path} of model {model.name} is not the file that was installed")
        except OSError as error:
            raise ModelSpoiled(f"{path} of model {model.name} cannot be read: {error.strerror}") from error
        return path


def digest_of(path: Path) -> str:
    """Return a file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
