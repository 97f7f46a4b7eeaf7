"""From a rendered segment to a picture file: the encoder's bytes, and what belonged to the input."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from farm.album.album import Entry
from farm.album.exif import made_upright
from farm.album.files import belongings, dressed, look
from farm.album.picture import TURNS, BadPicture, Belongings, readable
from farm.album.writing import fitted, output_kind
from farm.errors import StitchMismatch

#: What FFmpeg's pixel formats of one channel, and of that and alpha, begin with.
_GREY = ("gray", "ya")


def finished(encoded: bytes, entry: Entry, original: bytes, statement: str) -> tuple[bytes, list[str]]:
    """Return a picture file's bytes, and names of what the input held that it cannot hold."""
    kind = output_kind(entry.output)
    own, lost = _true_of_output(belongings(original, entry.picture.kind), entry)
    own, more = fitted(own, entry.picture, kind, statement)
    return dressed(encoded, kind, own, statement), lost + more


def check(path: Path, entry: Entry) -> None:
    """Hold a finished file against what was promised: its kind, its size, its colour, and that it is whole.

    Raises:
        StitchMismatch: what differs.
    """
    try:
        found = look(path)
    except BadPicture as error:
        raise StitchMismatch(f"{readable(entry.output)} cannot be read: {error.message}") from error
    if (found.kind, found.upright_size) != (output_kind(entry.output), entry.output_size):
        raise StitchMismatch(
            f"{readable(entry.output)} is {found.kind} of {found.upright_size}, not of {entry.output_size}"
        )
    if found.is_grey != entry.encode.pix_fmt.startswith(_GREY):
        raise StitchMismatch(f"{readable(entry.output)} is {'grey' if found.is_grey else 'in colour'}")


def _true_of_output(own: Belongings, entry: Entry) -> tuple[Belongings, list[str]]:
    """Return what stays true of a picture that stands upright by itself, and names of what does not."""
    lost = []
    exif = own.exif
    if exif is not None:
        exif = made_upright(exif, entry.output_size)
        if exif is None:
            lost.append("EXIF, which is damaged")
    density = own.density
    if density is not None and TURNS[entry.picture.orientation][1] in {90, 270}:
        density = density[1], density[0]
    return dataclasses.replace(own, exif=exif, density=density), lost
