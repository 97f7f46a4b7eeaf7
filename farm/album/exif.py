"""EXIF's TIFF structure, changed in place: its offsets stay true, whatever a camera's own notes point at."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
_THUMBNAIL, _THUMBNAIL_BYTES = 0x0201, 0x0202
#: Width and height of the picture, in the first directory and in EXIF's own.
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)

_SHORT, _LONG = 3, 4  # TIFF 6.0, 2


@dataclass(frozen=True, slots=True)
class _Entry:
    """One number of a directory; `at` is where its value lies."""

    tag: int
    type: int
    at: int


def orientation_of(exif: bytes | None) -> int:
    """Return the orientation, 1 to 8; 1 where nothing, or nothing sensible, is said."""
    if exif is None:
        return 1
    try:
        view = _View(bytearray(exif))
        found = next((entry for entry in view.entries(view.first) if entry.tag == _ORIENTATION), None)
        number = 1 if found is None else view.number(found)
    except (struct.error, ValueError):
        return 1
    return number if 1 <= number <= 8 else 1  # noqa: PLR2004


def made_upright(exif: bytes, size: tuple[int, int]) -> bytes | None:
    """Return EXIF as it is true of a picture that stands upright and has `size`; None: it cannot be read.

    The thumbnail is wiped out: it shows the picture as it was.
    """
    try:
        view = _View(bytearray(exif))
        view.wipe_thumbnail()
        for directory in view.directories():
            for entry in view.entries(directory):
                if entry.tag == _ORIENTATION:
                    view.put(entry, 1)
                elif entry.tag in _WIDTHS:
                    view.put(entry, size[0])
                elif entry.tag in _HEIGHTS:
                    view.put(entry, size[1])
    except (struct.error, ValueError):
        return None
    return bytes(view.data)


class _View:
    """A TIFF structure; every read may raise `struct.error` or ValueError."""

    def __init__(self, data: bytearray) -> None:
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
        if order is None:
            raise ValueError("no TIFF structure")
        self.data, self._order = data, order
        (self.first,) = self._read("I", 4)

    def entries(self, directory: int) -> Iterator[_Entry]:
        """Yield a directory's entries that are one number each."""
        (count,) = self._read("H", directory)
        for at in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, number = self._read("HHI", at)
            if number == 1 and kind in {_SHORT, _LONG}:
                yield _Entry(tag, kind, at + 8)

    def directories(self) -> Iterator[int]:
        yield self.first
        for entry in self.entries(self.first):
            if entry.tag == _EXIF_IFD:
                yield self.number(entry)

    def number(self, entry: _Entry) -> int:
        return int(self._read("H" if entry.type == _SHORT else "I", entry.at)[0])

    def put(self, entry: _Entry, value: int) -> None:
        struct.pack_into(self._order + ("H" if entry.type == _SHORT else "I"), self.data, entry.at, value)

    def wipe_thumbnail(self) -> None:
        (count,) = self._read("H", self.first)
        link = self.first + 2 + 12 * count
        (second,) = self._read("I", link)
        if second == 0:
            return
        found = {entry.tag: self.number(entry) for entry in self.entries(second)}
        start, length = found.get(_THUMBNAIL, 0), found.get(_THUMBNAIL_BYTES, 0)
        if start and length:
            end = min(len(self.data), start + length)
            self.data[start:end] = bytes(max(0, end - start))
        struct.pack_into(f"{self._order}I", self.data, link, 0)

    def _read(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + form, self.data, at)
