"""A Matroska file's head, byte by byte: the one way to tell FFmpeg's muxers of HDR data through PyAV.

PyAV has no place for a stream's side data, but copies those of a stream that it reads. Matroska's header says
everything about a track, without a packet (RFC 9559); element ids are that document's.
"""

from __future__ import annotations

import struct

from farm.media.light import Light, Mastering

_CODECS = {
    "h264": "V_MPEG4/ISO/AVC", "hevc": "V_MPEGH/ISO/HEVC", "av1": "V_AV1", "vp9": "V_VP9",
    "prores": "V_PRORES", "ffv1": "V_FFV1",
}  # fmt: skip
_PRIMARIES = (0x55D1, 0x55D2, 0x55D3, 0x55D4, 0x55D5, 0x55D6)  # x and y of red, green, blue
_WHITE = (0x55D7, 0x55D8)
_BRIGHTEST, _DARKEST = 0x55D9, 0x55DA
_OPEN_END = b"\x01\xff\xff\xff\xff\xff\xff\xff"  # a size that says: to the end of the file


def can_be_lit(codec: str) -> bool:
    """Say whether `lit_head` knows a coding format."""
    return codec in _CODECS


def lit_head(codec: str, width: int, height: int, light: Light) -> bytes:
    """Return a file without packets, whose one track has `light`."""
    colour = [_number(0x55BC, light.level[0]), _number(0x55BD, light.level[1])] if light.level else []
    if light.mastering is not None:
        colour.append(_element(0x55D0, *_display(light.mastering)))
    video = _element(0xE0, _number(0xB0, width), _number(0xBA, height), _element(0x55B0, *colour))
    codec_id = _element(0x86, _CODECS[codec].encode())
    track = _element(0xAE, _number(0xD7, 1), _number(0x73C5, 1), _number(0x83, 1), codec_id, video)
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000))
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska"), _number(0x4287, 4), _number(0x4285, 2))
    empty_cluster = _element(0x1F43B675, _number(0xE7, 0))  # where reading the head ends
    return head + _id(0x18538067) + _OPEN_END + info + _element(0x1654AE6B, track) + empty_cluster


def _display(mastering: Mastering) -> list[bytes]:
    darkest, brightest = mastering.luminance
    told = [
        *zip(_PRIMARIES, mastering.primaries, strict=True),
        *zip(_WHITE, mastering.white, strict=True),
        (_BRIGHTEST, brightest),
        (_DARKEST, darkest),
    ]
    return [_element(number, struct.pack(">d", float(value))) for number, value in told]


def _element(number: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return _id(number) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _number(number: int, value: int) -> bytes:
    return _element(number, value.to_bytes(8, "big"))


def _id(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
