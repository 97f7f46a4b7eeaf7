"""How files become a model of the store: copied aside, looked at, then moved in and registered."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from broker.installed import LANDMARKERS, RECOGNISERS, Model, ModelFile, ModelStore, digest_of
from farm.errors import ModelRefused
from farm.modelstore import registry
from farm.modelstore.catalogue import KnownModel, known_by_digest, known_models
from farm.modelstore.wholeness import check_whole

#: What a model may be made of: everything else in a directory or an archive is left out.
SUFFIXES = frozenset({".onnx", ".safetensors", ".pt", ".pth", ".ckpt", ".mat", ".jpg", ".json"})

#: Engines that need no model: none may go by their names.
OWN_ENGINES = frozenset({"passthrough", "portrait"})

# A model's name is a directory's, and travels in messages.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What its user says of a model that the farm may not know."""

    name: str | None = None
    contract: str | None = None
    licence: str = ""


def add(store: ModelStore, path: Path, said: Introduction) -> Model:
    """Install a user's own file, directory or zip archive, and return it as installed.

    Raises:
        ModelRefused: no such path, a cut file, a file that is not the known model it is named for, or a
            model that is not known and was not introduced.
    """
    if not path.exists():
        raise ModelRefused(f"no such file or directory: {path}", hint="check the path")
    with aside(store) as directory:
        _gather(path, directory)
        return settle(store, directory, said, default_name=path.stem if path.is_file() else path.name)


def settle(store: ModelStore, directory: Path, said: Introduction, *, default_name: str) -> Model:
    """Look at the files in `directory`, then make them a model of the store. Raises as `add`."""
    files = tuple(_listed(directory))
    if not files:
        raise ModelRefused(
            f"{default_name} holds no weight file", hint=f"wanted: {', '.join(sorted(SUFFIXES))}"
        )
    known = _recognised(files, said, default_name)
    name = said.name or (known.name if known else default_name)
    _check_name(name)
    if known is None:
        model = _introduced(name, files, said)
    else:
        _check_known(known, files)
        model = _of(known, name, files)
    registry.put(store, model, directory)
    return model


@contextmanager
def aside(store: ModelStore) -> Iterator[Path]:
    """A directory on the store's own disk, gone afterwards unless it was moved."""
    store.directory.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=store.directory, prefix=".new-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def unpack(archive: Path, directory: Path) -> None:
    """Take the weight files out of a zip archive, whatever directory they lie in there."""
    check_whole(archive)
    with zipfile.ZipFile(archive) as content:
        for entry in content.infolist():
            name = Path(entry.filename).name  # never a path: an archive may not choose where it is unpacked
            if not entry.is_dir() and Path(name).suffix.lower() in SUFFIXES:
                with content.open(entry) as packed, (directory / name).open("xb") as file:
                    shutil.copyfileobj(packed, file)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None or name in OWN_ENGINES:
        raise ModelRefused(
            f"{name!r} cannot be a model's name",
            hint="choose another with --name: letters, digits, dots, hyphens and underscores",
        )


def _gather(path: Path, directory: Path) -> None:
    if path.is_file() and path.suffix.lower() == ".zip":
        unpack(path, directory)
    elif path.is_file():
        shutil.copyfile(path, directory / path.name)
    else:
        for file in (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()):
            place = directory / file.relative_to(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)


def _listed(directory: Path) -> Iterator[ModelFile]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            check_whole(path)
            name = path.relative_to(directory).as_posix()
            yield ModelFile(name=name, size_bytes=path.stat().st_size, sha256=digest_of(path))


def _recognised(files: tuple[ModelFile, ...], said: Introduction, default_name: str) -> KnownModel | None:
    """Return the known model that these files are, or claim to be."""
    if said.contract is not None:
        return None  # its user knows better
    by_digest = known_by_digest(files[0].sha256) if len(files) == 1 else None
    by_name = known_models().get(said.name or default_name)
    return by_name or (by_digest[0] if by_digest else None)


def _check_known(known: KnownModel, files: tuple[ModelFile, ...]) -> None:
    own = "to install it as a model of your own, give --name and --contract"
    missing = sorted({file.name for file in known.files} - {file.name for file in files})
    if missing and len(known.files) > 1:
        raise ModelRefused(
            f"{known.name} lacks {', '.join(missing)}", hint="add a directory that holds all its files"
        )
    for file in files:
        twin = known.file(file.name) or (known.files[0] if len(known.files) == 1 else None)
        if twin is not None and twin.size_bytes not in {None, file.size_bytes}:
            raise ModelRefused(
                f"{file.name} is not {known.name}: {file.size_bytes} bytes, not {twin.size_bytes}", hint=own
            )
        if twin is not None and twin.sha256 not in {None, file.sha256}:
            raise ModelRefused(
                f"{file.name} is not {known.name}: its SHA-256 is {file.sha256}, not {twin.sha256}", hint=own
            )


def _of(known: KnownModel, name: str, files: tuple[ModelFile, ...]) -> Model:
    digests = {file.sha256 for file in known.files}
    is_pinned = all(file.sha256 in digests for file in files)
    origin: Literal["publisher", "first seen"] = "publisher" if is_pinned else "first seen"
    return Model(
        name=name,
        kind=known.kind,
        contract=known.contract,
        files=files,
        licence=known.licence,
        terms=known.terms,
        page=known.page,
        hash_from=origin,
    )


def _likely(files: tuple[ModelFile, ...], contracts: Sequence[str]) -> str:
    """Return the contract that files' names speak of; empty: none. Told to the user, and never relied on."""
    names = [PurePosixPath(file.name).name.lower() for file in files]
    if all(name in RECOGNISERS for name in names):
        return "arcface"
    if any(name in RECOGNISERS + LANDMARKERS or name.startswith(("det_", "scrfd")) for name in names):
        return "insightface"
    fitting = [each for each in contracts if any(name.startswith(each.replace("-", "_")) for name in names)]
    return max(fitting, key=len, default="")


def _introduced(name: str, files: tuple[ModelFile, ...], said: Introduction) -> Model:
    if said.contract is None:
        contracts = sorted({model.contract for model in known_models().values()})
        likely = _likely(files, contracts)
        raise ModelRefused(
            f"{name!r} is no model that the farm knows",
            hint=(f"by the names of its files it is to be used so: --contract {likely}; " if likely else "")
            + f"give --contract, how it is to be used: {', '.join(contracts)}",
        )
    kinds = {model.contract: model.kind for model in known_models().values()}
    return Model(
        name=name,
        kind=kinds.get(said.contract, "swapper"),
        contract=said.contract,
        files=files,
        licence=said.licence or "unknown",
        terms="",
        page="",
        hash_from="first seen",
    )
