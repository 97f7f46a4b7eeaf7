"""TIFF's directories (TIFF 6.0, section 2) as values: read from a file or from EXIF, and laid out anew."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

#: Directories within directories: EXIF's, GPS', and interoperability's (CIPA DC-008, 4.6.3).
SUB_DIRECTORIES = frozenset({0x8769, 0x8825, 0xA005})

#: Bytes of one value, by type, and of the numbers that it consists of, which have a byte order.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_NUMBERS = {**_SIZES, 5: 4, 10: 4}
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_INLINE_BYTES = 4

#: Nobody needs more; a damaged file may say so.
_MOST_DEPTH, _MOST_BYTES = 3, 1 << 26


@dataclass(frozen=True, slots=True)
class Value:
    """What a tag says: numbers, or bytes, in little-endian order."""

    type: int
    data: bytes

    @property
    def numbers(self) -> tuple[int, ...]:
        """The values of an entry of bytes, shorts or longs; of others none."""
        letter = {1: "B", 3: "H", 4: "I"}.get(self.type)
        if letter is None:
            return ()
        return struct.unpack(f"<{len(self.data) // _SIZES[self.type]}{letter}", self.data)


Directory: TypeAlias = "dict[int, Value | Directory]"


def text(words: str) -> Value:
    """Return a text as a value; what is not ASCII stands in UTF-8, as everybody writes it."""
    return Value(_ASCII, words.encode() + b"\0")


def short(*numbers: int) -> Value:
    """Return numbers of 16 bits as a value."""
    return Value(_SHORT, struct.pack(f"<{len(numbers)}H", *numbers))


def rational(numerator: int, denominator: int) -> Value:
    """Return a fraction as a value."""
    return Value(_RATIONAL, struct.pack("<II", numerator, denominator))


def opaque(data: bytes) -> Value:
    """Return bytes as a value."""
    return Value(_UNDEFINED, data)


def read(data: bytes) -> tuple[Directory, int]:
    """Return the first directory of a TIFF structure, and where the next one lies (0: there is none).

    Entries that cannot be read are left out.

    Raises:
        ValueError: it is no TIFF structure, or it is cut short.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    if order is None or len(data) < 8:  # noqa: PLR2004
        raise ValueError("no TIFF structure")
    try:
        return _directory(data, order, struct.unpack_from(f"{order}I", data, 4)[0], 0)
    except struct.error as error:
        raise ValueError("the TIFF structure is cut short") from error


def laid_out(directory: Mapping[int, Value | Directory], at: int) -> bytes:
    """Return a directory as it must stand at offset `at` (even) of a little-endian TIFF structure.

    Its values and the directories within it follow it; there is no next one.
    """
    entries, behind = [], b""
    values_at = at + 2 + 12 * len(directory) + 4
    for tag, value in sorted(directory.items()):
        place = values_at + len(behind)
        if isinstance(value, dict):
            entries.append(struct.pack("<HHII", tag, _LONG, 1, place))
            behind += laid_out(value, place)
            continue
        count = len(value.data) // _SIZES[value.type]
        if len(value.data) <= _INLINE_BYTES:
            inline = value.data.ljust(_INLINE_BYTES, b"\0")
            entries.append(struct.pack("<HHI", tag, value.type, count) + inline)
        else:
            entries.append(struct.pack("<HHII", tag, value.type, count, place))
            behind += value.data + b"\0" * (len(value.data) % 2)
    return struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4) + behind


def as_exif(directory: Mapping[int, Value | Directory]) -> bytes:
    """Return a directory as a TIFF structure of its own, as EXIF has it."""
    return b"II*\0" + struct.pack("<I", 8) + laid_out(directory, 8)


def _directory(data: bytes, order: str, at: int, depth: int) -> tuple[Directory, int]:
    (count,) = struct.unpack_from(f"{order}H", data, at)
    found: Directory = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, entry)
        size = _SIZES.get(kind, 0) * number
        place = entry + 8 if size <= _INLINE_BYTES else struct.unpack_from(f"{order}I", data, entry + 8)[0]
        if not 0 < size <= _MOST_BYTES or place + size > len(data):
            continue
        value = Value(kind, _little(bytes(data[place : place + size]), _NUMBERS[kind], order))
        if tag in SUB_DIRECTORIES and kind == _LONG and depth < _MOST_DEPTH:
            found[tag] = _directory(data, order, value.numbers[0], depth + 1)[0]
        else:
            found[tag] = value
    return found, struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)[0]


def _little(data: bytes, size: int, order: str) -> bytes:
    if order == "<" or size == 1:
        return data
    return b"".join(data[at : at + size][::-1] for at in range(0, len(data), size))
