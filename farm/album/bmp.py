"""BMP files (Microsoft's BITMAPFILEHEADER and its successors): only read, for they hold no words."""

from __future__ import annotations

import struct

from farm.album.picture import BadPicture, Belongings, Picture

_HEAD_BYTES = 26  # the file's header, and the oldest picture's
_OLDEST, _WITH_MASKS = 12, 56  # bytes of the picture's header
_MASKED, _TRUE_COLOUR = 3, 32


def look(data: bytes) -> Picture:
    """Return what a file's header says.

    Raises:
        BadPicture: it is cut short.
    """
    if len(data) < _HEAD_BYTES:
        raise BadPicture("the file is cut short")
    pixels_at, header = struct.unpack_from("<II", data, 10)
    if header == _OLDEST:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    is_plain = compression in {0, _MASKED}
    needed = (width * bits + 31) // 32 * 4 * abs(height) if is_plain else 1
    if width <= 0 or height == 0 or pixels_at + needed > len(data):
        raise BadPicture("the file is cut short")
    has_mask = header >= _WITH_MASKS and compression == _MASKED and bits == _TRUE_COLOUR
    return Picture(
        kind="bmp",
        width=width,
        height=abs(height),
        has_alpha=has_mask and struct.unpack_from("<I", data, 66)[0] != 0,
    )


def belongings(data: bytes) -> Belongings:
    """Return nothing but the density: programs write nothing else."""
    if struct.unpack_from("<I", data, 14)[0] == _OLDEST:
        return Belongings()
    across, down = struct.unpack_from("<ii", data, 38)
    return Belongings(density=(across, down) if across > 0 and down > 0 else None)
