"""Decode segments to digests of frames, on PyAV alone: nothing of the farm's or the workers' is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import av
import numpy as np

from broker.framing import PacketRecord, StreamHeader, read_segment


def decode_segment(pieces: Iterable[bytes]) -> list[tuple[int, bool, str]]:
    """Decode a segment; return (frame, whether it is context, MD5 of its pixels) for every frame it names."""
    header, packets = read_segment(pieces)
    wanted = {}
    for number, time in enumerate(
        (*header.before, *header.pts, *header.after), header.start - len(header.before)
    ):
        wanted[time] = (number, not header.start <= number < header.start + len(header.pts))
    decoder = open_decoder(header)
    pictures = [picture for packet in packets for picture in decoder.decode(padded(packet))]
    pictures += decoder.decode(None)
    return [(*wanted[picture.pts], md5(picture)) for picture in pictures if picture.pts in wanted]


def open_decoder(header: StreamHeader) -> av.VideoCodecContext:
    """Return a decoder for what a header describes."""
    decoder = av.CodecContext.create(header.codec, "r")
    if header.extradata:
        decoder.extradata = header.extradata
    if header.codec_tag:
        decoder.codec_tag = header.codec_tag
    decoder.width, decoder.height, decoder.pix_fmt = header.width, header.height, header.pix_fmt
    decoder.thread_count = 1
    return decoder


def padded(record: PacketRecord) -> av.Packet:
    """Return a packet that a decoder may read past: FFmpeg wants zeros there, and bytes objects have none."""
    packet = av.Packet(len(record.data))
    packet.update(record.data)
    packet.pts, packet.dts = record.pts, record.dts
    return packet


def md5(picture: av.VideoFrame) -> str:
    """Return the MD5 of a picture's pixels, as FFmpeg's framemd5 sees them."""
    sample_bytes = 1 if picture.format.components[0].bits <= 8 else 2
    planes = [
        np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width * sample_bytes]
        for plane in picture.planes
    ]
    pixels = b"".join(plane.tobytes() for plane in planes)
    return hashlib.md5(pixels, usedforsecurity=False).hexdigest()
