"""H.264 whose frames are sent field by field (PAFF), as broadcasters do: no encoder here writes any.

So the bits are laid out by hand, as ITU-T H.264 sections 7.3 and 9.1 say: every macroblock is raw samples (I_PCM).
"""

from __future__ import annotations

from pathlib import Path

_WIDTH, _HEIGHT = 32, 64  # pixels; two by four macroblocks, so a field has two by two
_RAW = 25  # mb_type of raw samples in an I slice, table 7-11


class _Bits:
    def __init__(self) -> None:
        self._text: list[str] = []

    def put(self, value: int, count: int) -> None:
        self._text.append(f"{value:0{count}b}")

    def golomb(self, value: int) -> None:
        digits = f"{value + 1:b}"
        self._text.append("0" * (len(digits) - 1) + digits)

    def align(self, bit: str = "0") -> None:
        while self._size() % 8:
            self._text.append(bit)

    def bytes(self) -> bytes:
        text = "".join(self._text)
        return int(text, 2).to_bytes(len(text) // 8, "big")

    def end(self) -> bytes:
        self.put(1, 1)
        self.align()
        return self.bytes()

    def _size(self) -> int:
        return sum(len(piece) for piece in self._text)


def write_fields_apart(path: Path, *, num_frames: int) -> Path:
    """Write `num_frames` frames as twice as many packets, with 25 frames a second, top field first."""
    units = [_unit(0x67, _sequence()), _unit(0x68, _picture())]
    for frame in range(num_frames):
        for bottom in (0, 1):
            # An access unit delimiter begins every picture; the first field of the first frame is an IDR's.
            is_idr = frame == 0 and bottom == 0
            units += [
                _unit(0x09, b"\x10"),
                _unit(0x65 if is_idr else 0x61, _slice(frame, bottom, is_idr=is_idr)),
            ]
    path.write_bytes(b"".join(units))
    return path


def _unit(head: int, payload: bytes) -> bytes:
    # Two zeros and a small number would look like a start code: a 3 goes between (section 7.4.1).
    safe, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            safe.append(3)
            zeros = 0
        safe.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([head]) + bytes(safe)


def _sequence() -> bytes:
    bits = _Bits()
    for value in (77, 0, 30):  # Main profile, no constraints, level 3
        bits.put(value, 8)
    bits.golomb(0)  # id
    bits.golomb(0)  # frame numbers have 4 bits
    bits.golomb(2)  # pictures are shown in the order in which they are decoded
    bits.golomb(1)  # one reference frame
    bits.put(0, 1)
    bits.golomb(_WIDTH // 16 - 1)
    bits.golomb(_HEIGHT // 32 - 1)
    bits.put(0, 1)  # fields are allowed
    bits.put(0, 1)  # but not chosen block by block
    bits.put(1, 1)
    bits.put(0, 1)  # no cropping
    bits.put(1, 1)  # usability information follows
    bits.put(0, 4)  # no shape, overscan, signal type or chroma place
    bits.put(1, 1)  # timing:
    bits.put(1, 32)
    bits.put(50, 32)  # fifty fields a second
    bits.put(1, 1)
    bits.put(0, 4)  # no buffering model, picture structures or restrictions
    return bits.end()


def _picture() -> bytes:
    bits = _Bits()
    bits.golomb(0)
    bits.golomb(0)
    bits.put(0, 1)  # CAVLC
    bits.put(0, 1)
    bits.golomb(0)
    bits.golomb(0)
    bits.golomb(0)
    bits.put(0, 3)
    bits.golomb(0)
    bits.golomb(0)
    bits.golomb(0)
    bits.put(0, 3)
    return bits.end()


def _slice(frame: int, bottom: int, *, is_idr: bool) -> bytes:
    bits = _Bits()
    bits.golomb(0)
    bits.golomb(7)  # all slices of the picture are I
    bits.golomb(0)
    bits.put(frame % 16, 4)
    bits.put(1, 1)  # a field
    bits.put(bottom, 1)
    if is_idr:
        bits.golomb(0)
        bits.put(0, 2)
    else:
        bits.put(0, 1)
    bits.golomb(0)  # the quantiser is the picture's
    for block in range((_WIDTH // 16) * (_HEIGHT // 32)):
        bits.golomb(_RAW)
        bits.align()
        level = 16 + (frame * 16 + bottom * 8 + block) % 220
        for value, count in ((level, 256), (128, 128)):
            for _ in range(count):
                bits.put(value, 8)
    return bits.end()
