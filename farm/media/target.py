"""What the output will be: its container, and how every chunk is encoded for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from broker.framing import first_field
from broker.messages import EncodeSpec
from farm.errors import BadInput
from farm.media.containers import Container, container_for, holds, muxer_for
from farm.media.dynamic_light import dynamic_light_notes
from farm.media.encoders import ENCODERS, keyframe_interval
from farm.media.exact import fraction_or_none, text_or_none
from farm.media.formats import bit_depth, has_alpha, nearest_format
from farm.media.info import MediaInfo, StreamInfo
from farm.media.presets import Kind
from farm.media.shapes import AS_INPUT, Shape, Size
from farm.media.wishes import NO_WISH, EncodingWish, choose_encoder, settings_for

Json = dict[str, Any]

#: Encoders that say of each picture that it consists of fields; FFV1 leaves that to the container.
_MARKS_FIELDS = {"libx264", "prores_ks", "ffv1"}

#: Pictures with a side below this, in pixels, are too small for sixteen slices.
_SMALL_PX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The output, decided once, when a job is submitted."""

    container: str  # an FFmpeg muxer
    codec: str  # FFmpeg's name of what the encoder writes
    reorder: int  # packets by which decode order runs ahead of presentation, at most
    encode: EncodeSpec
    notes: tuple[str, ...] = ()  # what the user should know: what the output cannot keep
    path: str = ""  # where it goes
    kind: Kind = "video"
    size: Size | None = None  # in pixels; None: the input's, upright
    rate: Fraction | None = None  # frames a second; None: the input's own times
    is_continuous: bool = False  # one encoder must see all frames, not one a chunk
    is_lossless: bool = False
    is_fragmented: bool = False

    def to_json(self) -> Json:
        """Return a JSON object, for the job's row."""
        return dataclasses.asdict(self) | {"rate": text_or_none(self.rate)}

    @classmethod
    def from_json(cls, body: Json) -> Target:
        """Read `to_json`'s object."""
        size = body.get("size")
        changed = {
            "encode": EncodeSpec(**body["encode"]),
            "notes": tuple(body["notes"]),
            "size": None if size is None else (size[0], size[1]),
            "rate": fraction_or_none(body.get("rate")),
        }
        return cls(**{**body, **changed})


def choose_target(
    output: Path, info: MediaInfo, wish: EncodingWish = NO_WISH, shape: Shape = AS_INPUT
) -> Target:
    """Decide how a video is written, from its name, the input, and what is asked of it.

    Raises:
        BadInput: the container does not hold the encoder's format or one of the audio tracks, or the
            encoder cannot do what is asked. OutputRefused: a suffix that is not written here.
    """
    container, video = container_for(output), info.video
    name = choose_encoder(wish, container.muxer)
    kind = ENCODERS[name]
    muxer = _muxer(container, kind.codec, info)
    _check_audio(container, muxer, info)
    size = shape.size or video.upright_size
    pix_fmt = _pix_fmt(name, wish, video.pix_fmt, size, shape.depth)
    settings = settings_for(
        wish,
        name,
        interval=keyframe_interval(shape.rate or video.average_rate),
        is_small=min(size) < _SMALL_PX,
        pix_fmt=pix_fmt,
        video=video,
    )
    return Target(
        container=muxer,
        codec=kind.codec,
        reorder=kind.reorder,
        encode=EncodeSpec(codec=name, pix_fmt=pix_fmt, options=kind.options(settings)),
        notes=(
            *_format_notes(video, pix_fmt, name, wish, shape),
            *_field_notes(video, name),
            *dynamic_light_notes(video),
            *_time_notes(container, video, shape),
        ),
        path=str(output),
        size=shape.size,
        rate=shape.rate,
        is_lossless=wish.lossless or kind.is_lossless,
        is_continuous=wish.is_continuous or shape.size is not None or shape.rate is not None,
    )


def _pix_fmt(encoder: str, wish: EncodingWish, of_input: str, size: Size, depth: int | None) -> str:
    """Return the encoder's format nearest to what is asked for, or to the input's.

    Raises:
        BadInput: one is asked for that the encoder does not take.
    """
    is_odd = size[0] % 2 == 1 or size[1] % 2 == 1
    needs_whole_colour = is_odd and ENCODERS[encoder].needs_even_sides
    pix_fmt = nearest_format(encoder, wish.pix_fmt or of_input, is_odd=needs_whole_colour, depth=depth)
    if wish.pix_fmt is not None and pix_fmt != wish.pix_fmt:
        raise BadInput(
            f"{encoder} does not write {wish.pix_fmt} at {size[0]}x{size[1]}",
            hint=f"the nearest that it writes is --pix-fmt {pix_fmt}",
        )
    return pix_fmt


def _muxer(container: Container, codec: str, info: MediaInfo) -> str:
    muxer = muxer_for(container, codec, [stream.codec for stream in info.audio])
    if muxer is None:
        raise BadInput(
            f"{container.suffix} cannot hold {codec} video",
            hint="name the output .mkv or .mov",
            code="container-cannot-hold",
        )
    return muxer


def _check_audio(container: Container, muxer: str, info: MediaInfo) -> None:
    for stream in info.audio:
        if not holds(muxer, stream.codec):
            raise BadInput(
                f"{container.suffix} cannot hold {stream}, which is copied as it is",
                hint="name the output .mkv: it holds every common kind of audio",
                code="container-cannot-hold",
            )


def _format_notes(
    video: StreamInfo, pix_fmt: str, encoder: str, wish: EncodingWish, shape: Shape
) -> Iterator[str]:
    if pix_fmt in {video.pix_fmt, wish.pix_fmt} or shape.depth is not None:
        return
    if bit_depth(pix_fmt) < video.bit_depth:
        yield f"{encoder} takes {bit_depth(pix_fmt)} bits a sample at most; the input has {video.bit_depth}"
    if has_alpha(video.pix_fmt) and not has_alpha(pix_fmt):
        yield f"{encoder} keeps no transparency"
    yield f"pixels are written as {pix_fmt}: {encoder} does not take {video.pix_fmt} at this size"


def _field_notes(video: StreamInfo, encoder: str) -> Iterator[str]:
    if first_field(video.field_order) and encoder not in _MARKS_FIELDS:
        yield (
            f"the input is interlaced and stays so, but {encoder} cannot mark it, and players will show comb "
            "lines: --deinterlace makes whole pictures"
        )


def _time_notes(container: Container, video: StreamInfo, shape: Shape) -> Iterator[str]:
    if shape.rate is not None:
        yield f"the video is shown at {shape.rate} frames a second: some are repeated or left out"
    if container.tick_s is not None and (video.time_base * 1000).denominator != 1:
        yield (
            f"{container.suffix} rounds time stamps to milliseconds, and this input's are finer; "
            "a .mov or .mp4 output keeps them exactly"
        )
