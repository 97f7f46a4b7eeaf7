"""HEVC with HDR's dynamic data: no encoder here writes any, so the messages are laid out by hand."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.services import find_ffmpeg

_PREFIX_SEI, _DOLBY_VISION = 39, 62  # types of NAL units (ITU-T H.265, table 7-1)
_FIRST_NOT_VCL = 32
_START = b"\0\0\0\1"

#: What the mapping curves of a Dolby Vision RPU are counted in, as a power of two; and its picture's bits.
_COEFFICIENT_BITS, _SAMPLE_BITS = 23, 10

_CODED = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]
_CODED += ["-x265-params", "log-level=none:bframes=0"]  # raw streams have no times: frames must be in order
_MARKS = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]


class _Bits:
    def __init__(self) -> None:
        self._text = ""

    def put(self, *fields: tuple[int, int]) -> None:
        """Append values, each of so many bits."""
        self._text += "".join(f"{value:0{count}b}" for value, count in fields)

    def golomb(self, *values: int) -> None:
        for value in values:
            digits = f"{value + 1:b}"
            self._text += "0" * (len(digits) - 1) + digits

    def bytes(self) -> bytes:
        """Return whole bytes; zeros fill the last."""
        text = self._text + "0" * (-len(self._text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def write_dynamic_hdr(
    path: Path, *, hdr10_plus: bool = False, dolby_vision: bool = False, is_marked: bool = True
) -> Path:
    """Write ten frames, marked as PQ or not, every one of them with the messages that are asked for."""
    source = "testsrc2=size=192x128:rate=25:duration=0.4"
    coded = [*_CODED, *(_MARKS if is_marked else [])]
    program = [find_ffmpeg(), "-v", "error"]
    plain = subprocess.run(
        [*program, "-f", "lavfi", "-i", source, *coded, "-f", "hevc", "-"],
        check=True,
        capture_output=True,
    ).stdout
    stream = b""
    for unit in re.split(rb"\x00\x00\x00?\x01", plain)[1:]:
        is_picture = unit[0] >> 1 < _FIRST_NOT_VCL
        before = _unit(_PREFIX_SEI, _hdr10_plus()) if is_picture and hdr10_plus else b""
        after = _unit(_DOLBY_VISION, _dolby_vision()) if is_picture and dolby_vision else b""
        stream += before + _START + unit + after
    read = ["-y", "-fflags", "+genpts", "-r", "25", "-f", "hevc", "-i", "-"]
    subprocess.run([*program, *read, "-c", "copy", str(path)], input=stream, check=True)
    return path


def add_configuration(path: Path) -> None:
    """Have an MP4 that FFmpeg wrote promise Dolby Vision: profile 8.1, level 1, no second layer."""
    data = bytearray(path.read_bytes())
    record = bytes([1, 0, 8 << 1, 1 << 3 | 0b101, 1 << 4]).ljust(24, b"\0")
    box = (8 + len(record)).to_bytes(4, "big") + b"dvvC" + record
    around = [
        data.index(kind) - 4 for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hev1")
    ]
    sizes = [int.from_bytes(data[at : at + 4], "big") for at in around]
    for at, size in zip(around, sizes, strict=True):
        data[at : at + 4] = (size + len(box)).to_bytes(4, "big")
    end = around[-1] + sizes[-1]
    data[end:end] = box
    path.write_bytes(data)


def _unit(kind: int, payload: bytes) -> bytes:
    # Two zeros and a small number would look like a start code: a 3 goes between (H.265, section 7.4.2).
    return _START + bytes([kind << 1, 1]) + re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", payload)


def _hdr10_plus() -> bytes:
    """Return an SEI message with SMPTE ST 2094-40's metadata, in CTA-861's layout: one window, no curve."""
    bits = _Bits()
    bits.put((0xB5, 8), (0x3C, 16), (1, 16), (4, 8), (1, 8))  # a country, Samsung, HDR10+, its version
    bits.put((1, 2), (400, 27), (0, 1))  # windows, the display that is aimed at
    bits.put(*[(10_000, 17)] * 3, (5_000, 17))  # the brightest of each colour, and the mean
    bits.put((0, 4), (0, 10), (0, 1), (0, 1), (0, 1))
    body = bits.bytes()
    return bytes([4, len(body)]) + body + b"\x80"


def _dolby_vision() -> bytes:
    """Return an RPU (ETSI GS CCM 001) whose curves leave every sample as it is, and its checksum."""
    bits = _Bits()
    bits.put((2, 6), (18, 11), (1, 4), (0, 4), (1, 1), (0, 1), (0, 2))
    bits.golomb(_COEFFICIENT_BITS)
    bits.put((1, 2), (0, 1))
    bits.golomb(_SAMPLE_BITS - 8, _SAMPLE_BITS - 8, 12 - 8)
    bits.put((0, 1), (0, 3), (0, 1), (1, 1))  # no second layer
    bits.put((0, 1), (0, 1))
    bits.golomb(0, 0, 0)
    for _ in range(3):
        bits.golomb(0)
        bits.put((0, _SAMPLE_BITS), (2**_SAMPLE_BITS - 1, _SAMPLE_BITS))  # one piece, over all samples
    bits.golomb(0, 0)
    for _ in range(3):
        bits.golomb(0, 0)
        bits.put((0, 1))
        for whole in (0, 1):  # y = 0 + 1 x
            bits.golomb(whole)
            bits.put((0, _COEFFICIENT_BITS))
    body = bits.bytes()
    return b"\x19" + body + _crc(body).to_bytes(4, "big") + b"\x80"


def _crc(body: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in body:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc
