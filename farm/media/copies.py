"""The input's other streams: which of them the output can hold, and their packets, untouched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.stream import Discard, Stream

from farm.errors import BadInput
from farm.media.containers import holds
from farm.media.covers import holds_cover
from farm.media.info import MediaInfo, OtherStream
from farm.media.opening import reading

#: What FFmpeg calls the text track in which MP4 keeps chapter names; chapters are carried as such.
_CHAPTER_TEXT = "bin_data"


@dataclass(slots=True)
class Copies:
    """The streams that are copied, by input index, and the ones that cannot be."""

    streams: dict[int, Stream] = field(default_factory=dict)
    dropped: list[OtherStream] = field(default_factory=list)


def add_copies(
    source: InputContainer, output: OutputContainer, info: MediaInfo, *, is_trimmed: bool = False
) -> Copies:
    """Add to `output` a stream for every other stream of the input that it can hold.

    `is_trimmed`: only a part is kept. Further video is left out then: its packets cannot be cut anywhere.

    Raises:
        BadInput: an audio track cannot be held. (`choose_target` says so earlier, as a rule.)
    """
    copies = Copies()
    for other in info.others:
        stream = source.streams[other.index]
        if _is_carried_otherwise(stream, other, source, output):
            continue
        is_uncuttable = is_trimmed and other.kind == "video"
        copy = None if is_uncuttable else _copy(stream, output, other)
        if copy is not None:
            copies.streams[other.index] = copy
        elif other.kind == "audio":
            raise BadInput(
                f"the output cannot hold {other}", hint="name the output .mkv", code="container-cannot-hold"
            )
        else:
            copies.dropped.append(other)
    return copies


def copied_packets(
    source: InputContainer, copies: Mapping[int, Stream], path: Path
) -> Iterator[av.Packet[Any]]:
    """Yield the packets of the copied streams, in the file's order, assigned to their output streams.

    Raises:
        TruncatedVideo: the input cannot be read to its end.
    """
    # An attachment lies in the header and has no packets.
    wanted = [source.streams[index] for index, copy in copies.items() if copy.type != "attachment"]
    if not wanted:
        return
    for stream in source.streams:
        stream.discard = Discard.default if stream in wanted else Discard.all
    with reading(path):
        for packet in source.demux(wanted):
            if packet.size == 0 and packet.pts is None:  # PyAV's signal to flush decoders, at the end
                continue
            packet.stream = copies[packet.stream_index]
            yield packet


def _copy(stream: Stream, output: OutputContainer, other: OtherStream) -> Stream | None:
    if not _can_copy(stream, output, other):
        return None
    try:
        copy = output.add_stream_from_template(stream, opaque=True)
    except ValueError:  # PyAV's way to say that the container does not take it
        return None
    copy.metadata.update(stream.metadata)
    copy.disposition = stream.disposition
    return copy


def _can_copy(stream: Stream, output: OutputContainer, other: OtherStream) -> bool:
    muxer = output.format.name
    if other.kind in {"audio", "subtitle", "video"}:
        return stream.codec_context is not None and holds(muxer, other.codec)
    return other.kind == "attachment" and muxer == "matroska" and stream.codec_context is None


def _is_carried_otherwise(
    stream: Stream, other: OtherStream, source: InputContainer, output: OutputContainer
) -> bool:
    """Say whether the output has a stream's content elsewhere: as chapters, time code, or cover."""
    if other.kind == "cover":
        return holds_cover(output.format.name, other)
    if other.kind != "data":
        return False
    return "timecode" in stream.metadata or (other.codec == _CHAPTER_TEXT and bool(source.chapters()))
