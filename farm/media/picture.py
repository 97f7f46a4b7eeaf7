"""Is a file a still picture? Told by its first bytes, at once; whether it can be decoded, workers see."""

from __future__ import annotations

from pathlib import Path

#: How pictures that workers read begin. Each by its own specification: JPEG (ITU T.81), PNG (ISO 15948),
#: TIFF 6.0, BMP, Portable Anymap (P1 to P7), Radiance, OpenEXR, JPEG 2000 (ISO 15444-1, boxed and bare), Sun
#: raster, GIF.
_HEADS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0",
    b"MM\0*",
    b"BM",
    *(f"P{number}".encode() + space for number in range(1, 8) for space in (b"\n", b" ", b"\r", b"\t")),
    b"#?RADIANCE",
    b"v/1\x01",
    b"\0\0\0\x0cjP  ",
    b"\xffO\xffQ",
    b"Y\xa6j\x95",
    b"GIF87a",
    b"GIF89a",
)

#: Brands of boxed still pictures (ISO/IEC 23008-12, AVIF 1.1): those that workers read, or may, and those of
#: phones, which they do not.
_AVIF, _HEIF = (b"avif", b"avis", b"mif1", b"msf1"), (b"heic", b"heix", b"heim", b"heis")

_HEAD_BYTES = 16


def is_picture(path: Path) -> bool:
    """Say whether a file begins as a picture of a kind that workers read.

    Raises:
        OSError: it cannot be read.
    """
    head = _head(path)
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp or _brand(head) in _AVIF or head.startswith(_HEADS)


def is_heif(path: Path) -> bool:
    """Say whether a file is a phone's picture in HEIF, which workers do not read.

    Raises:
        OSError: it cannot be read.
    """
    return _brand(_head(path)) in _HEIF


def _brand(head: bytes) -> bytes:
    return head[8:12] if head[4:8] == b"ftyp" else b""


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
