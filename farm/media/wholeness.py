"""Whether a file is as long as its own outer structure says: cut copies are found before any work is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: Top-level boxes of QuickTime and MP4 files (ISO/IEC 14496-12 and QTFF). What follows after another one
#: is padding or rubbish, and promises nothing.
_BOXES = {
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid", b"udta", b"meta",
    b"moof", b"mfra", b"sidx", b"ssix", b"styp", b"prft", b"pdin", b"emsg",
}  # fmt: skip
_BOX_HEAD_BYTES = 8

#: ISO/IEC 13818-1 section 2.4.3.2; a file with the sync byte so many times in its places is such a stream.
_TS_SYNC, _TS_PACKET_BYTES, _TS_PROOF = b"G", 188, 5

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # RFC 8794, RFC 9559
_EBML_ID_BYTES = 4
_LONGEST_SIZE_BYTES = 8

#: How much of a header is looked at, in bytes: an MP4's grows by some ten for every frame, and so a day's has
#: its first tracks in here; others say at once what their streams are.
_MOST_OF_MOVIE_BYTES, _MOST_OF_HEAD_BYTES = 64 * 2**20, 2**20


def is_box_file(path: Path) -> bool:
    """Say whether a file begins as QuickTime and MP4 files do."""
    with path.open("rb") as file:
        return file.read(_BOX_HEAD_BYTES)[4:] in _BOXES


def has_movie_box(path: Path) -> bool:
    """Say whether a whole `moov` is among an MP4's top-level boxes."""
    total = path.stat().st_size
    with path.open("rb") as file:
        return any(kind == b"moov" and end <= total for kind, end in _boxes(file, total))


def header_of(path: Path) -> bytes:
    """Return what describes a file's streams: an MP4's `moov`, the beginning of any other."""
    start, length = 0, _MOST_OF_HEAD_BYTES
    with path.open("rb") as file:
        at = 0
        for kind, end in _boxes(file, path.stat().st_size):
            if kind == b"moov":
                start, length = at, min(end - at, _MOST_OF_MOVIE_BYTES)
            at = end
        file.seek(start)
        return file.read(length)


def promised_bytes(path: Path) -> int | None:
    """Return how long a file must be at least, by its outer structure; None where that says nothing."""
    total = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_BOX_HEAD_BYTES)
        if head[4:] in _BOXES:
            return max((end for _, end in _boxes(file, total)), default=None)
        if head.startswith(b"RIFF"):
            return int.from_bytes(head[4:8], "little") + _BOX_HEAD_BYTES
        if head.startswith(_EBML):
            return _matroska_end(file)
        if head[:1] == _TS_SYNC:
            return _ts_end(file, total)
    return None


def _ts_end(file: BinaryIO, total: int) -> int | None:
    """Return where the last transport packet ends; None if the file does not consist of such."""
    file.seek(0)
    head = file.read(_TS_PACKET_BYTES * _TS_PROOF)
    if any(head[at : at + 1] != _TS_SYNC for at in range(0, len(head), _TS_PACKET_BYTES)):
        return None
    return -(-total // _TS_PACKET_BYTES) * _TS_PACKET_BYTES


def _boxes(file: BinaryIO, total: int) -> Iterator[tuple[bytes, int]]:
    """Yield the kind and the end of every top-level box."""
    at = 0
    while at + _BOX_HEAD_BYTES <= total:
        file.seek(at)
        head = file.read(2 * _BOX_HEAD_BYTES)
        kind, size = head[4:8], int.from_bytes(head[:4], "big")
        if size == 0:  # the box goes on to the end of the file
            size = total - at
        if size == 1:  # a 64-bit size follows
            size = int.from_bytes(head[8:], "big")
        if kind not in _BOXES or size < _BOX_HEAD_BYTES:
            return
        at += size
        yield kind, at


def _matroska_end(file: BinaryIO) -> int | None:
    file.seek(_EBML_ID_BYTES)
    size = _ebml_size(file)
    if size is None:
        return None
    file.seek(size, 1)
    if file.read(_EBML_ID_BYTES) != _SEGMENT:
        return None
    size = _ebml_size(file)
    return None if size is None else file.tell() + size


def _ebml_size(file: BinaryIO) -> int | None:
    """Read an EBML size; None where it is left open (live recordings) or damaged."""
    first = file.read(1)
    length = _LONGEST_SIZE_BYTES + 1 - first[0].bit_length() if first else _LONGEST_SIZE_BYTES + 1
    if length > _LONGEST_SIZE_BYTES:
        return None
    mask = (1 << 7 * length) - 1
    value = int.from_bytes(first + file.read(length - 1), "big") & mask
    return None if value == mask else value
