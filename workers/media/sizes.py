"""Makes frames smaller before anything is done to them: a job at a lower resolution is worked on at that."""

from __future__ import annotations

import av

from broker.framing import StreamHeader
from workers.media.pictures import with_marks_of

_UNSPECIFIED = 2  # ISO/IEC 23091-2, matrix coefficients

#: Formats that no scaler writes → what holds the same values.
_SCALABLE = {"pal8": "rgba", "monob": "gray", "monow": "gray"}


def scaled(picture: av.VideoFrame, header: StreamHeader) -> av.VideoFrame:
    """Return an upright picture at the header's size, in its own format; itself where it has that size.

    Each sample is the mean of the area that it stands for: sharp enough, and without any ringing at edges.
    Where the stream names no colour matrix, the header's word counts: by its size alone, a smaller picture
    would be taken for one of another.
    """
    size = header.size
    if size is None or size == (picture.width, picture.height):
        return picture
    name = picture.format.name
    smaller = picture.reformat(*size, format=_SCALABLE.get(name, name), interpolation="AREA")
    smaller = with_marks_of(picture, smaller)
    if int(smaller.colorspace) == _UNSPECIFIED:
        smaller.colorspace = header.colorspace
    return smaller
