"""A frame, enlarged: a picture in the same pixel format, written band by band as the network gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
from av import VideoFrame

from workers.frames import Frame
from workers.media.pictures import alpha_of, native, with_marks_of
from workers.media.planes import Canvas
from workers.stages.upscaler import Upscaler


def enlarged(frame: Frame, upscaler: Upscaler, on_part: Callable[[], None] = lambda: None) -> Frame:
    """Return the frame `upscaler.factor` times as large a side; transparency is enlarged smoothly.

    Where nothing marks the colours, players guess them by the height: what comes out is coded for its own.
    `on_part` is called after every tile.
    """
    given = native(frame.picture)
    factor = upscaler.factor
    large = with_marks_of(given, VideoFrame(given.width * factor, given.height * factor, given.format.name))
    _enlarge_alpha(given, large)
    canvas = Canvas(large)
    whole = Canvas(given).read((0, 0, given.width, given.height))
    for y0, band in upscaler.enlarged(whole, on_part):
        canvas.paint((0, y0, large.width, y0 + band.shape[1]), band)
    return replace(frame, picture=canvas.picture)


def _enlarge_alpha(given: VideoFrame, large: VideoFrame) -> None:
    small, room = alpha_of(given), alpha_of(large)
    if small is not None and room is not None:
        room[...] = cv2.resize(small, room.shape[::-1], interpolation=cv2.INTER_LINEAR)
