"""Whether an encoder in hardware works here: told by encoding a picture, since drivers promise much."""

from __future__ import annotations

import functools
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

#: Encoders that need a device say so in their names; all others are part of FFmpeg and work everywhere.
_IN_HARDWARE = "_nvenc"

_SIDE_PX = 256  # no encoder refuses pictures of this size


@functools.cache
def trouble_with(encoder: str) -> str | None:
    """Return why an encoder does not work on this machine; None if it does. Tried once a process."""
    if not encoder.endswith(_IN_HARDWARE):
        return None
    try:
        return None if _encode_one(encoder) else "it took a picture and gave nothing back"
    except (av.error.FFmpegError, ValueError) as error:
        return str(error)


def _encode_one(encoder: str) -> bool:
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, VideoCodecContext)
    context.width = context.height = _SIDE_PX
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 25)
    picture = av.VideoFrame(_SIDE_PX, _SIDE_PX, "yuv420p")
    picture.pts = 0
    return bool([*context.encode(picture), *context.encode(None)])
