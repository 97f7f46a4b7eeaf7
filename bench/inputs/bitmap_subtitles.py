"""Subtitles that are pictures, as Blu-ray discs have them: no encoder here writes any, so bytes are laid out by hand.

Presentation Graphic Stream, as described in US patent 2009/0185789 A1: segments of a type, a time and a body.
"""

from __future__ import annotations

import struct
from pathlib import Path

_PALETTE, _OBJECT, _COMPOSITION, _WINDOW, _END = 0x14, 0x15, 0x16, 0x17, 0x80
_TICKS = 90_000  # a second
_WIDTH, _HEIGHT, _BOX = 160, 96, (40, 8)  # pixels: of the video, and of the subtitle


def write_sup(path: Path) -> Path:
    """Write a white box that is shown from 0.2 s to 0.9 s, and again from 1.2 s to 1.9 s."""
    times = [(0.2, True), (0.9, False), (1.2, True), (1.9, False)]
    path.write_bytes(b"".join(_display(number, at_s, shown) for number, (at_s, shown) in enumerate(times)))
    return path


def _display(number: int, at_s: float, is_shown: bool) -> bytes:
    width, height = _BOX
    window = struct.pack(">BBHHHH", 1, 0, 60, 80, width, height)
    drawn = struct.pack(">HBBHH", 0, 0, 0, 60, 80) if is_shown else b""
    state = 0x80 if is_shown else 0x00  # a new scene, or the same one gone on
    composition = struct.pack(">HHBHBBBB", _WIDTH, _HEIGHT, 0x10, number, state, 0, 0, int(is_shown)) + drawn
    parts = [(_COMPOSITION, composition), (_WINDOW, window)]
    if is_shown:
        parts += [(_PALETTE, bytes([0, 0, 1, 235, 128, 128, 255])), (_OBJECT, _box(width, height))]
    return b"".join(_segment(kind, at_s, body) for kind, body in [*parts, (_END, b"")])


def _box(width: int, height: int) -> bytes:
    lines = bytes([0, 0x80 | width, 1, 0, 0]) * height  # a run of colour 1, then the line's end
    size = len(lines) + 4
    return (
        struct.pack(">HBB", 0, 0, 0xC0) + size.to_bytes(3, "big") + struct.pack(">HH", width, height) + lines
    )


def _segment(kind: int, at_s: float, body: bytes) -> bytes:
    return b"PG" + struct.pack(">IIBH", round(at_s * _TICKS), 0, kind, len(body)) + body
