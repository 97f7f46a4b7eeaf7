"""PNG files (ISO 15948, PNG 3): what their chunks say, and other chunks put in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from farm.album.exif import orientation_of
from farm.album.picture import BadPicture, Belongings, Picture
from farm.media.tags import in_front

_MAGIC = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_XMP = b"XML:com.adobe.xmp\0\0\0\0\0"  # an iTXt chunk's keyword; no compression, no language

#: Chunks that stay true of the same pixels in another PNG: what the colours are, what is said of the picture.
_KEPT_COLOURS = {b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
_KEPT = {*_KEPT_COLOURS, b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"tIME"}

#: What the encoder writes of its own accord, and is said again, or not, by the input's chunks.
_ENCODERS_OWN = {*_KEPT_COLOURS, b"pHYs", b"tEXt", b"iCCP", b"eXIf"}
_A_METRE = 1
_COMMENT = b"Comment\0"


def look(data: bytes) -> Picture:
    """Return what a file's header says.

    Raises:
        BadPicture: it is cut short, or damaged in its structure.
    """
    chunks = dict(_chunks(data, has_pixels=False))  # of several with one name, the last
    if b"IEND" not in chunks or b"IDAT" not in chunks or len(chunks.get(b"IHDR", b"")) != 13:  # noqa: PLR2004
        raise BadPicture("the file is cut short")
    width, height, bits, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    if not width or not height:
        raise BadPicture("it has no pixels")
    return Picture(
        kind="png",
        width=width,
        height=height,
        is_grey=colour in {_GREY, _GREY_ALPHA},
        has_alpha=colour in {_GREY_ALPHA, _RGBA} or b"tRNS" in chunks,
        depth=16 if bits == 16 else 8,  # noqa: PLR2004
        orientation=orientation_of(chunks.get(b"eXIf")),
        notes=("it moves, and its first picture alone is rendered",) if b"acTL" in chunks else (),
    )


def belongings(data: bytes) -> Belongings:
    """Return what the file holds beside its pixels."""
    icc = exif = xmp = density = None
    kept = []
    for name, content in _chunks(data, has_pixels=False):
        if name == b"iCCP":
            icc = _inflated(content.partition(b"\0")[2][1:])
        elif name == b"eXIf":
            exif = bytes(content)
        elif name == b"iTXt" and content.startswith(_XMP):
            xmp = bytes(content[len(_XMP) :])
        elif name == b"iTXt" and content.startswith(_XMP[:18]):
            continue  # compressed, which XMP forbids (ISO 16684-3)
        elif name in _KEPT:
            kept.append((name, bytes(content)))
        if name == b"pHYs" and content[8] == _A_METRE:
            density = struct.unpack_from(">II", content)
    return Belongings(icc=icc, exif=exif, xmp=xmp, chunks=tuple(kept), density=density)


def dressed(picture: bytes, own: Belongings, statement: str) -> bytes:
    """Return an encoded picture with what belongs to it, and with the statement in front of its comment."""
    encoded = [(name, content) for name, content in _chunks(picture) if name not in _ENCODERS_OWN]
    comments = [
        content[len(_COMMENT) :].decode("latin-1")
        for name, content in own.chunks
        if _is_comment(name, content)
    ]
    comment = in_front(statement, "\n".join(comments))
    before = [(b"tEXt", _COMMENT + comment.encode("latin-1", "replace"))]
    if own.icc is not None:
        before.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(own.icc)))
    if own.exif is not None:
        before.append((b"eXIf", own.exif))
    if own.xmp is not None:
        before.append((b"iTXt", _XMP + own.xmp))
    before += [chunk for chunk in own.chunks if not _is_comment(*chunk)]
    if own.density is not None and b"pHYs" not in dict(own.chunks):
        before.append((b"pHYs", struct.pack(">IIB", *own.density, _A_METRE)))
    # Colours must be said before the pixels, and before a palette; none is written here.
    return _MAGIC + b"".join(_chunk(*each) for each in (*encoded[:1], *before, *encoded[1:]))


def _is_comment(name: bytes, content: bytes) -> bool:
    return name == b"tEXt" and content.startswith(_COMMENT)


def _chunks(data: bytes, *, has_pixels: bool = True) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, content) of every whole chunk, up to the end's; without `has_pixels` those come empty."""
    at = len(_MAGIC)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            return
        yield name, data[at + 8 : at + 8 + length] if has_pixels or name != b"IDAT" else b""
        at += 12 + length
        if name == b"IEND":
            return


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _inflated(content: bytes) -> bytes | None:
    try:
        return zlib.decompress(content)
    except zlib.error:
        return None
