"""Says in an MP4's header how its picture is to be turned, as phones do."""

from __future__ import annotations

import struct
from pathlib import Path

_ONE, _LAST = 1 << 16, 1 << 30  # 16.16 and 2.30 fixed point, ISO/IEC 14496-12 section 6.2.2

#: From the box's type to its matrix: version and flags, dates, track, duration, layer, volume (section 8.3.2).
_TO_MATRIX = 4 + 40


def turn(path: Path, signs: tuple[int, ...]) -> None:
    """Write the video track's matrix: `signs` are a, b, c, d in x' = a·x + c·y, y' = b·x + d·y, y down."""
    a, b, c, d = (sign * _ONE for sign in signs)
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + _TO_MATRIX  # the first track is the video's
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, _LAST)
    path.write_bytes(content)
