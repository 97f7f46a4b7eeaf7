"""Which files of a folder are its pictures, and which are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from farm.album.files import SUFFIXES, kind_of, look
from farm.album.picture import BadPicture, Picture, readable

#: Files that a message names; of more it says how many.
MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder."""

    pictures: tuple[Picture, ...]  # by name
    notes: tuple[str, ...]  # what was left out


def named(names: Sequence[str]) -> str:
    """Return names in words, the first few of many."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def list_pictures(folder: Path, *, salvage: bool) -> Listing:
    """Look at every picture of a folder, but not at what lies in folders within it, nor at hidden files.

    A file is a picture by its first bytes. One that has a picture's suffix, and cannot be read as one, is
    damaged: with `salvage` it is left out.

    Raises:
        BadPicture: pictures are damaged, and are not to be left out; or there is none at all.
    """
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    folders = [readable(path.name) for path in files if path.is_dir()]
    strangers = [readable(path.name) for path in files if path.is_file() and not _is_meant(path)]
    pictures, damaged = _looked_at([path for path in files if path.is_file() and _is_meant(path)])
    if damaged and not salvage:
        told = "; ".join(f"{name}: {why}" for name, why in list(damaged.items())[:MOST_NAMED])
        raise BadPicture(
            f"{len(damaged)} of {len(damaged) + len(pictures)} pictures cannot be read: {told}",
            hint="move them away, or leave them out with --salvage",
        )
    if not pictures:
        raise BadPicture(
            f"{folder} has no picture in it",
            hint="JPEG, PNG, WebP, TIFF and BMP are rendered; folders in it are not",
        )
    notes = [f"left out, as it cannot be read: {name} ({why})" for name, why in damaged.items()]
    if strangers:
        notes.append(f"left out, as no pictures: {named(strangers)}")
    if folders:
        notes.append(f"left out, as folders within a folder: {named(folders)}")
    return Listing(tuple(pictures), tuple(notes))


def _is_meant(path: Path) -> bool:
    """Say whether a file is a picture, or would be one by its name."""
    try:
        return path.suffix.lower() in SUFFIXES or kind_of(path) is not None
    except OSError:
        return False


def _looked_at(files: Sequence[Path]) -> tuple[list[Picture], dict[str, str]]:
    pictures, damaged = [], {}
    for path in files:
        try:
            pictures.append(look(path))
        except BadPicture as error:
            damaged[readable(path.name)] = error.message
    return pictures, damaged
