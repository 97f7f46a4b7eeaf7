"""Picture files: which kind one is, what it says, and whether it is still the one that was looked at."""

from __future__ import annotations

import dataclasses
import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import cast

from farm.album import bmp, jpeg, png, tiff, webp
from farm.album.picture import BadPicture, Belongings, Kind, Picture
from farm.errors import BadInput
from farm.media.picture import is_heif

_LOOKS: dict[Kind, Callable[[bytes], Picture]] = {
    "jpeg": jpeg.look,
    "png": png.look,
    "webp": webp.look,
    "tiff": tiff.look,
    "bmp": bmp.look,
}
_BELONGINGS: dict[Kind, Callable[[bytes], Belongings]] = {
    "jpeg": jpeg.belongings,
    "png": png.belongings,
    "webp": webp.belongings,
    "tiff": tiff.belongings,
    "bmp": bmp.belongings,
}
_DRESSED: dict[Kind, Callable[[bytes, Belongings, str], bytes]] = {
    "jpeg": jpeg.dressed,
    "png": png.dressed,
    "webp": webp.dressed,
    "tiff": tiff.dressed,
}

_HEADS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II\x2b\0", "tiff"),
    (b"MM\0\x2b", "tiff"),
    (b"BM", "bmp"),
)

#: What files of these kinds are called: one with such a name that is none of them is damaged, not a stranger.
SUFFIXES: dict[str, Kind] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".bmp": "bmp",
}

_HEAD_BYTES = 16

#: A few hundred bytes can claim more pixels than any machine has memory for; cameras stay below this.
MOST_PIXELS = 1 << 28


def kind_of(path: Path) -> Kind | None:
    """Return what a file begins as, whatever its name; None: no picture that is rendered here.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for start, kind in _HEADS if head.startswith(start)), None)


def look(path: Path) -> Picture:
    """Return what a picture file's header says; nothing is decoded.

    Raises:
        BadPicture: it cannot be read, is cut short, or is of a kind that is not rendered here.
    """
    try:
        kind, facts = kind_of(path), path.stat()
        if kind is None:
            raise BadPicture(_what_else(path, facts.st_size))
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            picture = _LOOKS[kind](
                cast("bytes", data)
            )  # bytes that stay on the disk until they are asked for
    except OSError as error:
        raise BadPicture(f"it cannot be read: {error.strerror}") from error
    except (struct.error, IndexError) as error:
        raise BadPicture("the file is cut short") from error
    if picture.width * picture.height > MOST_PIXELS:
        raise BadPicture(f"it has {picture.width}x{picture.height} pixels, and {MOST_PIXELS} are too many")
    return dataclasses.replace(
        picture, name=path.name, size_bytes=facts.st_size, modified_ns=facts.st_mtime_ns
    )


def read_again(path: Path, picture: Picture) -> bytes:
    """Return the bytes of a file that was looked at.

    Raises:
        BadInput: it is gone, or is another by now.
    """
    try:
        facts = path.stat()
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{picture.label} is gone: {error.strerror}", hint="put it back, and `farm retry` the job"
        ) from error
    if (facts.st_mtime_ns, len(data)) != (picture.modified_ns, picture.size_bytes):
        raise BadInput(
            f"{picture.label} was changed while the job ran",
            hint="leave pictures as they are until the job is done, and submit it again",
        )
    return data


def belongings(data: bytes, kind: Kind) -> Belongings:
    """Return what a picture file holds beside its pixels."""
    return _BELONGINGS[kind](data)


def dressed(encoded: bytes, kind: Kind, own: Belongings, statement: str) -> bytes:
    """Return an encoded picture with what belongs to it, and with a statement that programs show."""
    return _DRESSED[kind](encoded, own, statement)


def _what_else(path: Path, size: int) -> str:
    if size == 0:
        return "it has no bytes"
    return (
        "HEIF is not read here: save it as JPEG or PNG"
        if is_heif(path)
        else "it is no picture that is read here"
    )
