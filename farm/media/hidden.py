"""Packets that decode to no picture of their own, though nothing in the container says so.

VP8 and VP9 encoders send alternate reference frames: decoded, used, never shown. VP9 usually packs one
together with a shown frame (a superframe); VP8 cannot, and sends it as a packet with a time of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from av import Packet

_SUPERFRAME_MARK = 0b110  # top bits of the last byte, VP9 bitstream specification, annex B
_PROFILE_3 = 0b0011_0000


def hidden_test(codec: str) -> Callable[[Packet[Any]], bool] | None:
    """Return a function that says whether a packet of `codec` shows nothing; None if all show something."""
    return {"vp8": _vp8_hidden, "vp9": _vp9_hidden}.get(codec)


def _vp8_hidden(packet: Packet[Any]) -> bool:
    view = memoryview(packet)
    return len(view) > 0 and not view[0] & 0b0001_0000  # show_frame, RFC 6386 section 9.1


def _vp9_hidden(packet: Packet[Any]) -> bool:
    view = memoryview(packet)
    if len(view) == 0 or view[-1] >> 5 == _SUPERFRAME_MARK:
        return False
    first = view[0]
    if first & _PROFILE_3 == _PROFILE_3:  # which has a reserved bit before the rest
        first <<= 1
    show_existing, show = first & 0b1000, first & 0b0010
    return not (show_existing or show)
