"""A video at a lower resolution: which size its frames are given before anything is done to them."""

from __future__ import annotations

from dataclasses import replace

from broker.framing import first_field
from farm.errors import BadInput
from farm.media.formats import is_rgb
from farm.media.info import StreamInfo
from farm.media.shapes import within

_UNSPECIFIED, _BT709 = 2, 1  # ISO/IEC 23091-2, matrix coefficients

#: Players take unmarked video from this height up as BT.709, and smaller one as BT.601.
_HD_HEIGHT_PX = 720


def at_resolution(video: StreamInfo, longer_side_px: int | None) -> StreamInfo:
    """Return the video as it is rendered with its longer side so long at most; the same one where it is.

    Colours that nobody has named are named, where the new height would have them taken for others.

    Raises:
        BadInput: it is interlaced: scaled, its two fields would be mixed into each other.
    """
    size = within(video.upright_size, longer_side_px, even=True)
    if size is None:
        return video
    if first_field(video.field_order) and not video.deinterlace:
        raise BadInput(
            "interlaced video cannot be made smaller as it is",
            hint="add --deinterlace, or keep its size with --resolution original",
        )
    is_misread = (
        video.colorspace == _UNSPECIFIED
        and not is_rgb(video.pix_fmt)
        and video.upright_size[1] >= _HD_HEIGHT_PX > size[1]
    )
    return replace(video, size=size, colorspace=_BT709 if is_misread else video.colorspace)
