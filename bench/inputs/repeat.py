"""Gives two frames of a Matroska file the same time, which no muxer would write."""

from __future__ import annotations

import struct
from pathlib import Path

_FRAME, _STEP_MS = 21, 40


def repeat_a_time(path: Path) -> None:
    """Give frame 21 of a clip of 25 frames a second the time of frame 20."""
    content = path.read_bytes()
    # A block's head: track 1, its time in the cluster in milliseconds, flags (RFC 9559 section 10.1).
    heads = [struct.pack(">BhB", 0x81, frame * _STEP_MS, 0) for frame in (_FRAME, _FRAME - 1)]
    if content.count(heads[0]) != 1:
        raise RuntimeError(f"{path.name} has another layout than expected")
    path.write_bytes(content.replace(heads[0], heads[1]))
