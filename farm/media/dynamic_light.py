"""HDR's dynamic data, told frame by frame: no output has them, and so they are named."""

from __future__ import annotations

import re
from collections.abc import Iterator

import av

from farm.media.info import StreamInfo

_DOLBY_VISION = "Dolby Vision"

#: FFmpeg's side data of a frame → what people call it.
_NAMES = {
    "DYNAMIC_HDR_PLUS": "HDR10+ (SMPTE ST 2094-40)",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_RPU_BUFFER": _DOLBY_VISION,
    "DOVI_METADATA": _DOLBY_VISION,
}

#: What MP4 calls HEVC, H.264 and AV1 that are to be shown with Dolby Vision's data only.
_DOLBY_VISION_TAGS = {"dvhe", "dvh1", "dvav", "dva1", "dav1"}

#: Its configuration record, of any version so far: a box of 32 bytes in MP4, and in Matroska a BlockAddIDType
#: of four bytes, the same letters. FFmpeg keeps it in a stream's side data, which PyAV does not show.
_DOLBY_VISION_RECORD = re.compile(rb"\x00\x00\x00\x20dv[cvw]C[\x01-\x04]|\x41\xe7\x84dv[cvw]C")

_UNSPECIFIED = 2  # ISO/IEC 23091-2


def dynamic_light(picture: av.VideoFrame, codec_tag: str, header: bytes) -> tuple[str, ...]:
    """Return the names of the dynamic HDR data that come with a frame, or that its container promises.

    `header`: what the container says of its streams, as bytes.
    """
    found = {name: None for kind, name in _NAMES.items() if picture.side_data.get(kind) is not None}
    if codec_tag in _DOLBY_VISION_TAGS or _DOLBY_VISION_RECORD.search(header):
        found[_DOLBY_VISION] = None
    return tuple(found)


def dynamic_light_notes(video: StreamInfo) -> Iterator[str]:
    """Yield what the user should know: what is lost, and where more than brightness goes with it."""
    for name in video.dynamic_light:
        yield f"the input's {name} is not carried: the output's brightness is the same for all scenes"
    if _DOLBY_VISION in video.dynamic_light and video.color_trc == _UNSPECIFIED:
        # Profile 5: the samples are in a colour space that only the data explain.
        yield (
            "without Dolby Vision's data this input's colours may be shown wrong: take a version of it "
            "that plays as HDR10, HLG or SDR, too"
        )
