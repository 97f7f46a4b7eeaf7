"""Whether an encoder in hardware works here: told by encoding a picture, since drivers promise much."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

#: Encoders that need a device say so in their names; all others are part of FFmpeg and work everywhere.
_IN_HARDWARE = "_nvenc"

_SIDE_PX = 256  # no encoder refuses pictures of this size

#: What has worked here, as (encoder, pixel format). Failures are tried again: a driver that has no session to
#: spare may have one later.
_proven: set[tuple[str, str]] = set()


def is_in_hardware(encoder: str) -> bool:
    """Say whether an encoder is a device's, and so may be missing."""
    return encoder.endswith(_IN_HARDWARE)


def trouble_with(encoder: str, pix_fmt: str) -> str | None:
    """Return why an encoder does not take pictures of a format on this machine; None if it does."""
    if not is_in_hardware(encoder) or (encoder, pix_fmt) in _proven:
        return None
    try:
        if not _encode_one(encoder, pix_fmt):
            return "it took a picture and gave nothing back"
    except (av.error.FFmpegError, ValueError) as error:
        return str(error)
    _proven.add((encoder, pix_fmt))
    return None


def _encode_one(encoder: str, pix_fmt: str) -> bool:
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, VideoCodecContext)
    context.width = context.height = _SIDE_PX
    context.pix_fmt, context.time_base = pix_fmt, Fraction(1, 25)
    picture = av.VideoFrame(_SIDE_PX, _SIDE_PX, pix_fmt)
    picture.pts = 0
    return bool([*context.encode(picture), *context.encode(None)])
