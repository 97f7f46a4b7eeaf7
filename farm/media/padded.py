"""Packets made from bytes, as FFmpeg wants them."""

from __future__ import annotations

from typing import Any

import av


def padded_packet(data: bytes) -> av.Packet[Any]:
    """Return a packet that holds a copy of `data`.

    FFmpeg reads past a packet's end and wants zeros there (AV_INPUT_BUFFER_PADDING_SIZE). A packet that
    PyAV makes around a bytes object has none: what a decoder then sees depends on what lies there.
    """
    packet: av.Packet[Any] = av.Packet(len(data))
    packet.update(data)
    return packet
