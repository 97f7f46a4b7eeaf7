"""Writes the statement that a picture is synthetic into GIF, JPEG and PNG files, where each has comments."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

from farm.errors import StitchMismatch

_HEAD_BYTES = 2**16 + 4  # all that can come before the comment: JFIF's own segment is the longest

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER_END = len(_PNG_MAGIC) + 25  # the IHDR chunk: length, name, 13 bytes, checksum
_JPEG_MAGIC = b"\xff\xd8"
_JPEG_COMMENT = b"\xff\xfe"
_GIF_MAGICS = (b"GIF89a", b"GIF87a")
_GIF_COMMENT = b"\x21\xfe"
_GIF_BLOCK_BYTES = 255
_GIF_SCREEN_END = 13  # the header and the logical screen descriptor


def mark_picture(path: Path, statement: str) -> None:
    """Put a statement into a picture, as a comment that programs show; its pixels stay as they are.

    Raises:
        StitchMismatch: it is none of the kinds that are written here.
    """
    marked = path.with_name(f"{path.name}.marked")
    with path.open("rb") as picture, marked.open("wb") as file:
        at, comment = _comment(picture.read(_HEAD_BYTES), statement.encode("ascii", "replace"))
        picture.seek(0)
        file.write(picture.read(at) + comment)
        shutil.copyfileobj(picture, file)
    marked.replace(path)


def _comment(data: bytes, words: bytes) -> tuple[int, bytes]:
    """Return where the comment goes, and the comment."""
    if data.startswith(_PNG_MAGIC):
        body = b"tEXt" + b"Comment\0" + words  # PNG 1.2, 11.3.4.3
        length, checksum = struct.pack(">I", len(body) - 4), struct.pack(">I", zlib.crc32(body))
        return _PNG_HEADER_END, length + body + checksum
    if data.startswith(_JPEG_MAGIC):
        return _after_jfif(data), _JPEG_COMMENT + struct.pack(">H", len(words) + 2) + words
    if data.startswith(_GIF_MAGICS):
        blocks = [words[at : at + _GIF_BLOCK_BYTES] for at in range(0, len(words), _GIF_BLOCK_BYTES)]
        comment = _GIF_COMMENT + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
        return _GIF_SCREEN_END + _gif_palette_bytes(data[10]), comment
    raise StitchMismatch("the picture is of a kind that cannot be marked")


def _after_jfif(data: bytes) -> int:
    """Return where the first segment ends, if that is JFIF's own, which must come first."""
    start = len(_JPEG_MAGIC)
    if data[start : start + 2] != b"\xff\xe0":
        return start
    (length,) = struct.unpack(">H", data[start + 2 : start + 4])
    return start + 2 + int(length)


def _gif_palette_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 0b111) + 1) if flags & 0x80 else 0
