"""Look at a file: what its header says, and that its first picture can be decoded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext

from farm.errors import NotAVideo, NoVideoStream, TruncatedVideo, UnsupportedMedia
from farm.media.display import upright
from farm.media.dynamic_light import dynamic_light
from farm.media.info import MediaInfo, OtherStream, StreamInfo
from farm.media.light import light_from
from farm.media.opening import CUT_SHORT_HINT, open_video, reading
from farm.media.wholeness import header_of, promised_bytes

__all__ = ["MediaInfo", "OtherStream", "StreamInfo", "choose_video", "probe"]

#: Packets fed to the decoder before the first picture must have come out. A broadcast recording may begin
#: a whole GOP before its first keyframe; the longest GOPs in use are near ten seconds.
_PATIENCE = 1000

#: Transparency is a second picture in WebM, beside each packet. Only these decoders look at it.
_SEES_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def probe(path: Path, *, salvage: bool = False) -> MediaInfo:
    """Return what a file's header says about it. `salvage`: a file that ends early is taken as it is.

    One picture is decoded, because the display matrix, and the proof that a decoder takes the stream,
    are only to be had from a picture.

    Raises:
        BadInput: no such file, or one of its kinds: EmptyFile, NotAVideo, NoVideoStream, TruncatedVideo,
            UnsupportedMedia.
    """
    with open_video(path) as container:
        if not salvage:
            _check_whole(path)
        stream = choose_video(container, path)
        decoder = _decoder(stream)
        picture = _first_picture(container, stream, decoder, path)
        return MediaInfo(
            container=container.format.name,
            size_bytes=path.stat().st_size,
            duration_s=None if container.duration is None else Fraction(container.duration, av.time_base),
            video=_video_info(stream, decoder, picture, path),
            others=tuple(_other(other) for other in container.streams if other is not stream),
            is_salvaged=salvage,
        )


def _check_whole(path: Path) -> None:
    promised, size = promised_bytes(path), path.stat().st_size
    if promised is not None and promised > size:
        raise TruncatedVideo(
            f"{path.name} ends after {size} of {promised} bytes",
            hint=CUT_SHORT_HINT,
        )


def choose_video(container: InputContainer, path: Path) -> av.VideoStream:
    """Return the stream to render: the default one, else the largest; cover art is none.

    Raises:
        NoVideoStream: there is none.
        UnsupportedMedia: nothing here decodes it.
    """
    videos = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not videos:
        raise NoVideoStream(f"{path.name} has no video stream", hint="audio and cover art cannot be rendered")
    known = [stream for stream in videos if stream.codec_context is not None]
    if not known:
        raise UnsupportedMedia(
            f"the video in {path.name} is in a format that nothing here decodes",
            hint="transcode it to H.264 first, for instance with ffmpeg -i IN -c:v libx264 -crf 12 OUT.mkv",
        )
    return max(known, key=_rank)


def _rank(stream: av.VideoStream) -> tuple[bool, int, int]:
    return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index


def _is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _decoder(stream: av.VideoStream) -> VideoCodecContext:
    """Return the stream's decoder, or the one that also sees the transparency beside its packets."""
    own = stream.codec_context
    name = _SEES_ALPHA.get(own.codec.canonical_name)
    if name is None or stream.metadata.get("alpha_mode") != "1":
        return own
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = own.extradata
    return decoder


def _first_picture(
    container: InputContainer, stream: av.VideoStream, decoder: VideoCodecContext, path: Path
) -> av.VideoFrame:
    with reading(path):
        for number, packet in enumerate(container.demux(stream)):
            for picture in _decoded(decoder, packet):
                return picture
            if number >= _PATIENCE:
                break
    raise NotAVideo(
        f"no picture of {path.name} can be decoded", hint="check with ffplay whether the file plays at all"
    )


def _decoded(decoder: VideoCodecContext, packet: av.Packet[Any]) -> list[av.VideoFrame]:
    try:
        return decoder.decode(packet)
    except av.error.FFmpegError:  # packets before the first keyframe, mostly: the next one may do better
        return []


def _video_info(
    stream: av.VideoStream, decoder: VideoCodecContext, picture: av.VideoFrame, path: Path
) -> StreamInfo:
    codec = stream.codec_context
    rotation, hflip = _orientation(picture, path)
    return StreamInfo(
        index=stream.index,
        codec=codec.codec.canonical_name,
        decoder=decoder.codec.name,
        codec_tag=_tag(codec.codec_tag),
        width=picture.width,
        height=picture.height,
        pix_fmt=picture.format.name,
        bit_depth=max(component.bits for component in picture.format.components),
        time_base=_time_base(stream, path),
        average_rate=stream.average_rate or stream.guessed_rate,
        sample_aspect_ratio=stream.sample_aspect_ratio or None,
        rotation=rotation,
        hflip=hflip,
        color_primaries=int(picture.color_primaries),
        color_trc=int(picture.color_trc),
        colorspace=int(picture.colorspace),
        color_range=int(picture.color_range),
        has_b_frames=bool(codec.has_b_frames),
        light=light_from(_side(picture, "MASTERING_DISPLAY_METADATA"), _side(picture, "CONTENT_LIGHT_LEVEL")),
        dynamic_light=dynamic_light(picture, codec.codec_tag, header_of(path)),
        field_order=codec.field_order if rotation == 0 else 0,  # turned lines are no fields
    )


def _tag(tag: str) -> str:
    """Return a FourCC, or nothing: MPEG-TS and others put small numbers here, that no decoder wants."""
    return tag if len(tag) == 4 and tag.isascii() and tag.isprintable() else ""  # noqa: PLR2004 - a *Four*CC


def _orientation(picture: av.VideoFrame, path: Path) -> tuple[int, bool]:
    matrix = _side(picture, "DISPLAYMATRIX")
    if matrix is None:
        return 0, False
    found = upright(matrix)
    if found is None:
        raise UnsupportedMedia(
            f"{path.name} asks to be turned by an odd angle",
            hint="only quarter turns and mirroring are supported; set it right with ffmpeg -display_rotation",
        )
    return found


def _side(picture: av.VideoFrame, name: str) -> bytes | None:
    datum = picture.side_data.get(name)
    assert datum is None or isinstance(datum, SideData)
    return None if datum is None else bytes(datum)


def _time_base(stream: Stream, path: Path) -> Fraction:
    if stream.time_base is None:
        raise UnsupportedMedia(
            f"the video in {path.name} has no time base", hint="remux it to Matroska first"
        )
    return stream.time_base


def _other(stream: Stream) -> OtherStream:
    kind = "cover" if stream.type == "video" and _is_cover(stream) else stream.type
    duration = None
    if stream.duration is not None and stream.time_base is not None:
        duration = stream.duration * stream.time_base
    return OtherStream(
        index=stream.index,
        kind=kind,
        codec=_codec_name(stream),
        language=stream.language,
        time_base=stream.time_base,
        duration_s=duration,
    )


def _codec_name(stream: Stream) -> str:
    context = stream.codec_context
    name = context.codec.canonical_name if context is not None else getattr(stream, "name", None)
    return str(name or "unknown")
