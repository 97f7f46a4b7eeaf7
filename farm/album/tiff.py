"""TIFF files (Adobe, TIFF 6.0): what their first directory says, and a directory put in its place."""

from __future__ import annotations

import struct

from farm.album.directory import (
    Directory,
    Value,
    as_exif,
    laid_out,
    opaque,
    rational,
    read,
    short,
    text,
)
from farm.album.picture import BadPicture, Belongings, Picture
from farm.media.tags import in_front

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_DESCRIPTION, _STRIPS, _ORIENTATION, _CHANNELS, _STRIP_BYTES = 270, 273, 274, 277, 279
_ACROSS, _DOWN, _UNIT, _SOFTWARE = 282, 283, 296, 305
_TILED, _EXTRA, _SAMPLES, _XMP, _IPTC, _EXIF, _GPS, _ICC = 322, 338, 339, 700, 33723, 34665, 34853, 34675
_MAKER_NOTE = 37500

#: What is said of a photograph as a whole, in TIFF's own tags: make, model, software, date, artist, rights.
_DESCRIPTIVE = frozenset({_DESCRIPTION, 271, 272, _SOFTWARE, 306, 315, 33432, _EXIF, _GPS})

#: None, two of CCITT's, LZW, Deflate's two numbers, PackBits: what the decoder here undoes.
_COMPRESSIONS = {1, 2, 3, 4, 5, 8, 32946, 32773}
_LIGHT_IS_ZERO, _DARK_IS_ZERO, _RGB, _PALETTE = range(4)
_DEPTHS = ({1}, {8}, {16})
_PREMULTIPLIED, _CM, _INCH, _INCH_M = 1, 3, 2, 0.0254


def look(data: bytes) -> Picture:
    """Return what the first directory says.

    Raises:
        BadPicture: it is cut short, or of a kind that is not decoded here.
    """
    if data[2:4] in {b"\x2b\0", b"\0\x2b"}:
        raise BadPicture("BigTIFF is not read here")
    directory, following = _read(data)
    bits, photometric = _numbers(directory, _BITS, 1), _number(directory, _PHOTOMETRIC, -1)
    width, height = _number(directory, _WIDTH, 0), _number(directory, _HEIGHT, 0)
    _check_kind(directory, set(bits), photometric)
    if not width or not height or not _is_whole(directory, len(data)):
        raise BadPicture("the file is cut short")
    num_colours = 3 if photometric == _RGB else 1
    return Picture(
        kind="tiff",
        width=width,
        height=height,
        is_grey=photometric in {_LIGHT_IS_ZERO, _DARK_IS_ZERO},
        has_alpha=_number(directory, _CHANNELS, 1) > num_colours,
        depth=16 if 16 in bits else 8,  # noqa: PLR2004
        orientation=min(8, max(1, _number(directory, _ORIENTATION, 1))),
        notes=("it has several pages, and the first alone is rendered",) if following else (),
    )


def belongings(data: bytes) -> Belongings:
    """Return what the first directory holds beside its pixels."""
    directory, _ = _read(data)
    said = {tag: value for tag, value in directory.items() if tag in _DESCRIPTIVE}
    own = said.get(_EXIF)
    # A camera maker's notes point at places in the file by numbers that nobody else can mend.
    has_notes = isinstance(own, dict) and own.pop(_MAKER_NOTE, None) is not None
    return Belongings(
        icc=_bytes(directory, _ICC),
        exif=as_exif(said) if said else None,
        xmp=_bytes(directory, _XMP),
        iptc=_bytes(directory, _IPTC),
        density=_density(directory),
        is_premultiplied=_number(directory, _EXTRA, 0) == _PREMULTIPLIED,
        left_out=("the camera maker's notes",) if has_notes else (),
    )


def dressed(picture: bytes, own: Belongings, statement: str) -> bytes:
    """Return an encoded picture with what belongs to it, the statement in front of its description."""
    directory, _ = _read(picture)
    for tag in (_SOFTWARE, _ACROSS, _DOWN, _UNIT):
        directory.pop(tag, None)
    if own.exif is not None:
        said, _ = _read(own.exif)
        directory |= {tag: value for tag, value in said.items() if tag in _DESCRIPTIVE}
    described = directory.get(_DESCRIPTION)
    before = described.data.rstrip(b"\0").decode(errors="replace") if isinstance(described, Value) else ""
    directory[_DESCRIPTION] = text(in_front(statement, before))
    blobs = {_ICC: own.icc, _XMP: own.xmp, _IPTC: own.iptc}
    directory |= {tag: opaque(blob) for tag, blob in blobs.items() if blob is not None}
    if own.density is not None:
        across, down = (rational(round(each * _INCH_M), 1) for each in own.density)
        directory |= {_ACROSS: across, _DOWN: down, _UNIT: short(_INCH)}
    if own.is_premultiplied and _EXTRA in directory:
        directory[_EXTRA] = short(_PREMULTIPLIED)
    at = len(picture) + len(picture) % 2
    head = picture[:4] + struct.pack("<I", at)
    return head + picture[8:].ljust(at - 8, b"\0") + laid_out(directory, at)


def _read(data: bytes) -> tuple[Directory, int]:
    try:
        return read(data)
    except ValueError as error:
        raise BadPicture("the file is cut short") from error


def _check_kind(directory: Directory, bits: set[int], photometric: int) -> None:
    if photometric not in {_LIGHT_IS_ZERO, _DARK_IS_ZERO, _RGB, _PALETTE} or bits not in _DEPTHS:
        raise BadPicture("of TIFF, grey, RGB and palettes of 1, 8 or 16 bits are read here")
    if set(_numbers(directory, _SAMPLES, 1)) != {1}:
        raise BadPicture("TIFF with floats, or with signed samples, is not read here")
    if _TILED in directory or _number(directory, _COMPRESSION, 1) not in _COMPRESSIONS:
        raise BadPicture("TIFF in tiles, and TIFF packed by JPEG, ZSTD or LZMA, is not read here")


def _is_whole(directory: Directory, size: int) -> bool:
    starts, lengths = _numbers(directory, _STRIPS, 0), _numbers(directory, _STRIP_BYTES, 0)
    return len(starts) == len(lengths) and all(
        start > 0 and start + length <= size for start, length in zip(starts, lengths, strict=True)
    )


def _numbers(directory: Directory, tag: int, default: int) -> tuple[int, ...]:
    value = directory.get(tag)
    return value.numbers if isinstance(value, Value) and value.numbers else (default,)


def _number(directory: Directory, tag: int, default: int) -> int:
    return _numbers(directory, tag, default)[0]


def _bytes(directory: Directory, tag: int) -> bytes | None:
    value = directory.get(tag)
    return value.data if isinstance(value, Value) else None


def _density(directory: Directory) -> tuple[int, int] | None:
    unit_m = {_INCH: _INCH_M, _CM: 0.01}.get(_number(directory, _UNIT, _INCH))
    found = [directory.get(tag) for tag in (_ACROSS, _DOWN)]
    if unit_m is None or not all(isinstance(each, Value) and len(each.data) == 8 for each in found):  # noqa: PLR2004
        return None
    pairs = [struct.unpack("<II", each.data) for each in found if isinstance(each, Value)]
    if any(denominator == 0 for _, denominator in pairs):
        return None
    across, down = (round(numerator / denominator / unit_m) for numerator, denominator in pairs)
    return across, down
