"""WebP files (RFC 9649): what their chunks say, and other chunks put in."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from farm.album.exif import orientation_of
from farm.album.picture import BadPicture, Belongings, Picture

_HEAD_BYTES = 12  # RIFF, a length, WEBP
_ICC, _ALPHA, _EXIF, _XMP, _ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02
_SIDE_MASK = 0x3FFF
_LOSSLESS_SIGN = 0x2F
_ALPHA_BIT = 28


def look(data: bytes) -> Picture:
    """Return what a file's header says.

    Raises:
        BadPicture: it is cut short, or moves.
    """
    chunks = dict(_chunks(data))
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise BadPicture("the file is cut short")
    if chunks.get(b"VP8X", b"\0")[0] & _ANIMATION:
        raise BadPicture("moving WebP is not read here")
    size = _size(chunks)
    if size is None:
        raise BadPicture("the file is cut short")
    lossless = chunks.get(b"VP8L")
    return Picture(
        kind="webp",
        width=size[0],
        height=size[1],
        has_alpha=b"ALPH" in chunks or (lossless is not None and _has_alpha(lossless)),
        chroma="420" if lossless is None else "444",
        is_lossless=lossless is not None,
        orientation=orientation_of(_exif(chunks)),
    )


def belongings(data: bytes) -> Belongings:
    """Return what the file holds beside its pixels."""
    chunks = dict(_chunks(data))
    icc, xmp = chunks.get(b"ICCP"), chunks.get(b"XMP ")
    return Belongings(
        icc=None if icc is None else bytes(icc),
        exif=_exif(chunks),
        xmp=None if xmp is None else bytes(xmp),
    )


def dressed(picture: bytes, own: Belongings, statement: str) -> bytes:  # noqa: ARG001 - it stands in the XMP
    """Return an encoded picture with what belongs to it."""
    chunks = dict(_chunks(picture))
    size = _size(chunks)
    assert size is not None
    flags = _ICC * (own.icc is not None) | _EXIF * (own.exif is not None) | _XMP * (own.xmp is not None)
    is_see_through = b"ALPH" in chunks or (b"VP8L" in chunks and _has_alpha(chunks[b"VP8L"]))
    head = bytes([flags | _ALPHA * is_see_through, 0, 0, 0])
    head += b"".join((side - 1).to_bytes(3, "little") for side in size)
    # In this order, by 2.7 of the RFC.
    body = [(b"VP8X", head), (b"ICCP", own.icc)]
    body += [(name, chunks.get(name)) for name in (b"ALPH", b"VP8 ", b"VP8L")]
    body += [(b"EXIF", own.exif), (b"XMP ", own.xmp)]
    content = b"WEBP" + b"".join(_chunk(name, data) for name, data in body if data is not None)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = _HEAD_BYTES
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            return
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _size(chunks: dict[bytes, bytes]) -> tuple[int, int] | None:
    if b"VP8 " in chunks:  # RFC 6386, 9.1
        width, height = struct.unpack_from("<HH", chunks[b"VP8 "], 6)
        return width & _SIDE_MASK, height & _SIDE_MASK
    lossless = chunks.get(b"VP8L", b"")
    if len(lossless) < 5 or lossless[0] != _LOSSLESS_SIGN:  # noqa: PLR2004
        return None
    (bits,) = struct.unpack_from("<I", lossless, 1)
    return (bits & _SIDE_MASK) + 1, (bits >> 14 & _SIDE_MASK) + 1


def _has_alpha(lossless: bytes) -> bool:
    (bits,) = struct.unpack_from("<I", lossless, 1)
    return bool(bits >> _ALPHA_BIT & 1)


def _exif(chunks: dict[bytes, bytes]) -> bytes | None:
    exif = chunks.get(b"EXIF")
    return (
        None if exif is None else bytes(exif).removeprefix(b"Exif\0\0")
    )  # some writers put JPEG's head there
