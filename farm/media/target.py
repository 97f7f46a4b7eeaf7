"""What the output will be: its container, and how every chunk is encoded for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.messages import EncodeSpec
from farm.errors import BadInput
from farm.media.containers import Container, container_for, holds, muxer_for
from farm.media.encoders import ENCODERS, Quality, keyframe_interval
from farm.media.formats import bit_depth, has_alpha, nearest_format, needs_even_sides
from farm.media.info import MediaInfo, StreamInfo

Json = dict[str, Any]

#: libx264's quality at which the eye finds no difference, and the preset that it takes by itself.
DEFAULT_CRF = 18
DEFAULT_PRESET = "medium"

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

    def to_json(self) -> Json:
        """Return a JSON object, for the job's row."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, body: Json) -> Target:
        """Read `to_json`'s object."""
        return cls(**{**body, "encode": EncodeSpec(**body["encode"]), "notes": tuple(body["notes"])})


def choose_target(
    output: Path,
    info: MediaInfo,
    *,
    lossless: bool = False,
    crf: int = DEFAULT_CRF,
    preset: str = DEFAULT_PRESET,
    encoder: str | None = None,
) -> Target:
    """Decide how the output is written, from its name and the input.

    `crf` and `preset` mean nothing when `lossless`. `encoder` is one of `farm.media.encoders.ENCODERS`.

    Raises:
        BadInput: the container does not hold the encoder's format or one of the audio tracks, or an
            unknown encoder. OutputRefused: a suffix that is not written here.
    """
    container = container_for(output)
    name = encoder or ("ffv1" if lossless else "libx264")
    if name not in ENCODERS or (lossless and not ENCODERS[name].is_lossless):
        raise BadInput(f"no such encoder for this: {name}", hint=f"choose one of: {', '.join(ENCODERS)}")
    kind, video = ENCODERS[name], info.video
    muxer = _muxer(container, kind.codec, info)
    _check_audio(container, muxer, info)
    is_odd = needs_even_sides(name) and (video.width % 2 == 1 or video.height % 2 == 1)
    pix_fmt = nearest_format(name, video.pix_fmt, is_odd=is_odd)
    is_small = min(video.width, video.height) < _SMALL_PX
    options = kind.options(Quality(crf=crf, preset=preset), keyframe_interval(video.average_rate), is_small)
    return Target(
        container=muxer,
        codec=kind.codec,
        reorder=kind.reorder,
        encode=EncodeSpec(codec=name, pix_fmt=pix_fmt, options=options),
        notes=(*_format_notes(video, pix_fmt, name), *_time_notes(container, video)),
    )


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


def _format_notes(video: StreamInfo, pix_fmt: str, encoder: str) -> Iterator[str]:
    if pix_fmt == video.pix_fmt:
        return
    if bit_depth(pix_fmt) < video.bit_depth:
        yield f"{encoder} takes {bit_depth(pix_fmt)} bits a sample at most; the input has {video.bit_depth}"
    if has_alpha(video.pix_fmt) and not has_alpha(pix_fmt):
        yield f"{encoder} keeps no transparency"
    yield f"pixels are written as {pix_fmt}: {encoder} does not take {video.pix_fmt} at this size"


def _time_notes(container: Container, video: StreamInfo) -> Iterator[str]:
    if container.tick_s is not None and (video.time_base * 1000).denominator != 1:
        yield (
            f"{container.suffix} rounds time stamps to milliseconds, and this input's are finer; "
            "a .mov or .mp4 output keeps them exactly"
        )
