"""From a segment's bytes to frames: exactly those that its header names, upright, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
from av.packet import PacketSideData, packet_sidedata_type_from_literal
from av.video.codeccontext import VideoCodecContext

from broker.framing import PacketRecord, StreamHeader
from workers.errors import DecodeMismatch
from workers.frames import Frame
from workers.media.sizes import scaled
from workers.media.upright import Upright
from workers.media.weave import Numbered, whole_pictures

#: Of a picture there is no next frame: what FFmpeg would patch up in a video is an error here. Its TIFF
#: decoder alone takes that to mean that nothing may be unknown to it, and refuses good files.
_STRICT, _STRICT_IN_ALL = "crccheck+bitstream+buffer+explode", "tiff"


def decode(header: StreamHeader, packets: Iterable[PacketRecord], *, threads: int) -> Iterator[Frame]:
    """Yield the frames of context before the chunk, the chunk's own, and those after it.

    A decoder that starts at an open GOP also gives frames that cannot be right; none of them has a stamp
    that the header names, so choosing by stamp is choosing exactly.

    Raises:
        DecodeMismatch: a frame is missing, is damaged, or comes out of order.
    """
    upright = Upright(header)
    for index, picture in whole_pictures(_wanted(header, packets, threads), header):
        is_own = header.start <= index < header.start + len(header.pts)
        turned = scaled(upright.turn(picture), header)
        yield Frame(
            picture=turned,
            index=index,
            pts=index,
            is_context=not is_own,
            begins_shot=bool(header.name),
        )


def _wanted(header: StreamHeader, packets: Iterable[PacketRecord], threads: int) -> Iterator[Numbered]:
    stamps = (*header.before, *header.pts, *header.after)
    first = header.start - len(header.before)
    position = 0
    for picture in _pictures(header, packets, threads):
        if position == len(stamps):
            return
        if picture.pts is None or picture.pts < stamps[position]:
            continue
        index = first + position
        picture.time_base = header.time_base
        if picture.pts != stamps[position]:
            raise DecodeMismatch(f"frame {index} (stamp {stamps[position]}) is missing; got {picture.pts}")
        if (picture.width, picture.height) != (header.width, header.height):
            raise DecodeMismatch(
                f"the picture changes from {header.width}x{header.height} to "
                f"{picture.width}x{picture.height} by frame {index}: render the parts before and after it "
                "apart, with --end and --start"
            )
        is_refused = not header.is_salvaged or header.name  # a damaged picture is left out as a whole
        if picture.is_corrupt and index >= header.whole_from and is_refused:
            raise DecodeMismatch(f"frame {index} is damaged; --salvage leaves such frames out")
        yield index, picture
        position += 1
    if position < len(stamps):
        raise DecodeMismatch(f"frames from {first + position} on are missing: the segment ended")


def _pictures(header: StreamHeader, packets: Iterable[PacketRecord], threads: int) -> Iterator[av.VideoFrame]:
    decoder = open_decoder(header, threads=threads)
    for record in packets:
        yield from _decoded(decoder, _packet(record, header), header)
    yield from _decoded(decoder, None, header)


def _decoded(
    decoder: VideoCodecContext, packet: av.Packet[Any] | None, header: StreamHeader
) -> list[av.VideoFrame]:
    try:
        return decoder.decode(packet)
    except av.FFmpegError as error:
        if header.is_salvaged:
            return []
        raise DecodeMismatch(f"the {header.codec} decoder failed: {error}") from error


def open_decoder(header: StreamHeader, *, threads: int) -> VideoCodecContext:
    """Return a decoder for a segment's packets."""
    decoder = av.CodecContext.create(header.codec, "r")
    assert isinstance(decoder, VideoCodecContext)
    if header.extradata:
        decoder.extradata = header.extradata
    if header.codec_tag:
        decoder.codec_tag = header.codec_tag
    decoder.width, decoder.height = header.width, header.height
    if header.pix_fmt:  # of pictures the decoder alone knows it
        decoder.pix_fmt = header.pix_fmt
    decoder.thread_count = threads
    decoder.thread_type = "AUTO"
    if header.name and header.codec != _STRICT_IN_ALL:
        decoder.options = {"err_detect": _STRICT}
    return decoder


def _packet(record: PacketRecord, header: StreamHeader) -> av.Packet[Any]:
    # Made empty, then filled: only then does FFmpeg put the zeros behind it that decoders read into.
    packet = av.Packet(len(record.data))
    packet.update(record.data)
    packet.pts, packet.dts, packet.duration = record.pts, record.dts, record.duration
    packet.time_base = header.time_base
    packet.is_keyframe = record.is_keyframe
    for name, data in record.side_data:
        _attach(packet, name, data)
    return packet


def _attach(packet: av.Packet[Any], name: str, data: bytes) -> None:
    """Put side data on a packet: transparency beside it, or new parameter sets."""
    if not data:
        return
    # PyAV's own way takes side data from another packet only; its constructor is not in its stubs.
    datum = PacketSideData(packet_sidedata_type_from_literal(name), len(data))  # type: ignore[call-arg, arg-type]
    datum.update(data)
    datum.to_packet(packet)
