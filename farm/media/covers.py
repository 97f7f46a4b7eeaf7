"""Cover art: a picture of the file, not of the video. Each container keeps it in a place of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer

from farm.media.info import MediaInfo, OtherStream
from farm.media.opening import open_video, reading
from farm.media.padded import padded_packet

#: Coding format → (suffix, media type): those that players show as covers.
_PICTURES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png")}

#: Matroska keeps covers as attached files (RFC 9559 section 21.2), MP4 in its tags.
_AS_FILES, _AS_TAGS = {"matroska"}, {"mp4"}


def holds_cover(muxer: str, cover: OtherStream) -> bool:
    """Say whether an output can have a cover of this coding format."""
    return muxer in _AS_FILES | _AS_TAGS and cover.codec in _PICTURES


def add_covers(
    output: OutputContainer, source: InputContainer, info: MediaInfo, path: Path
) -> list[av.Packet[Any]]:
    """Add the input's covers behind all other streams; return packets to be written before any other."""
    covers = [
        other for other in info.others if other.kind == "cover" and holds_cover(output.format.name, other)
    ]
    packets = []
    for cover, picture in zip(covers, _pictures(path, covers), strict=True):
        original = source.streams[cover.index]
        suffix, kind = _PICTURES[cover.codec]
        if output.format.name in _AS_FILES:
            output.add_attachment(original.metadata.get("filename", f"cover.{suffix}"), kind, picture)
            continue
        stream = output.add_stream_from_template(original, opaque=True)
        stream.disposition = original.disposition
        packet = padded_packet(picture)
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        packets.append(packet)
    return packets


def _pictures(path: Path, covers: list[OtherStream]) -> Iterator[bytes]:
    """Yield each cover's bytes; opened anew, since a reader that is under way has passed them."""
    for cover in covers:
        with open_video(path) as container, reading(path):
            yield bytes(next(container.demux(container.streams[cover.index])))
