"""H.264 packets that are marked as keyframes, though a decoder that starts there is right only later.

With periodic intra refresh, a stripe of each picture is renewed; containers then mark as keyframes the
pictures at which a round of stripes begins. A recovery point message says how many pictures it takes.
"""

from __future__ import annotations

from collections.abc import Iterator

_SEI = 6  # NAL unit types, ITU-T H.264 table 7-1
_SLICES = {1, 2, 3, 4, 5}
_RECOVERY_POINT = 6  # SEI payload type, ITU-T H.264 annex D
_LENGTH_PREFIXED = 1  # an avcC record begins with its version; Annex B with zeros (ISO/IEC 14496-15)
_EXTENDED = 0xFF  # SEI types and sizes go on after this byte


def recovers_at_once(packet: memoryview, extradata: bytes) -> bool:
    """Say whether decoding can start at an H.264 packet that is marked as a keyframe.

    True also where the packet says nothing: then the container is believed.
    """
    for unit in _units(packet, extradata):
        kind = unit[0] & 0x1F
        if kind in _SLICES:
            return True
        if kind == _SEI:
            count_starts = _recovery_point(unit)
            if count_starts is not None:
                # The count is an Exp-Golomb number: a leading one bit is zero pictures.
                return bool(count_starts & 0x80)
    return True


def _units(packet: memoryview, extradata: bytes) -> Iterator[bytes]:
    """Yield NAL units up to the first slice, with or without what follows it."""
    if extradata[:1] == bytes([_LENGTH_PREFIXED]):
        yield from _prefixed(packet, (extradata[4] & 3) + 1)
    else:
        yield from _annex_b(bytes(packet))


def _prefixed(packet: memoryview, length_bytes: int) -> Iterator[bytes]:
    at = 0
    while at + length_bytes < len(packet):
        size = int.from_bytes(packet[at : at + length_bytes], "big")
        at += length_bytes
        if size:
            yield bytes(packet[at : at + size])
        at += size


def _annex_b(packet: bytes) -> Iterator[bytes]:
    at = packet.find(b"\0\0\1")
    while at >= 0:
        following = packet.find(b"\0\0\1", at + 3)
        unit = packet[at + 3 : following if following >= 0 else None]
        if unit:
            yield unit
        at = following


def _recovery_point(unit: bytes) -> int | None:
    """Return the first byte of a recovery point message, if the SEI unit holds one."""
    # Emulation prevention puts a 3 after two zeros; messages are walked without those.
    payload = unit[1:].replace(b"\0\0\3", b"\0\0")
    at = 0
    while at + 2 < len(payload):
        kind, at = _grown(payload, at)
        size, at = _grown(payload, at)
        if kind == _RECOVERY_POINT and at < len(payload):
            return payload[at]
        at += size
    return None


def _grown(payload: bytes, at: int) -> tuple[int, int]:
    """Read a number that is a sum of bytes, the last of which is not 255."""
    value = 0
    while at < len(payload) and payload[at] == _EXTENDED:
        value, at = value + _EXTENDED, at + 1
    return (value + payload[at], at + 1) if at < len(payload) else (value, at)
