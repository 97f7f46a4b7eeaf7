"""Which way up a picture is: FFmpeg's display matrix, as a rotation and a mirroring."""

from __future__ import annotations

import struct

#: Four by two: every way to lay a rectangle on itself. (rotation, hflip) → signs of the matrix's a, b, c, d
#: in x' = a·x + c·y, y' = b·x + d·y, with y pointing down and the mirroring done first.
_SIGNS = {
    (1, 0, 0, 1): (0, False),
    (0, -1, 1, 0): (90, False),
    (-1, 0, 0, -1): (180, False),
    (0, 1, -1, 0): (270, False),
    (-1, 0, 0, 1): (0, True),
    (0, 1, 1, 0): (90, True),
    (1, 0, 0, -1): (180, True),
    (0, -1, -1, 0): (270, True),
}

_MATRIX = struct.Struct("=9i")  # libavutil/display.h: nine native 32-bit integers, row by row


def upright(matrix: bytes) -> tuple[int, bool] | None:
    """Return (degrees counter-clockwise, mirrored first) that make a picture upright.

    None where the matrix does anything else: other angles, scaling by zero, shearing.
    """
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix)
    signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
    return _SIGNS.get(signs)
