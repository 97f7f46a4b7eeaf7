"""Which packets show a frame, and in which order, told by the one who knows: the decoder.

Most containers say when each frame is shown. AVI and raw streams do not, and where frames are re-ordered
nobody can tell from outside. And some streams send a frame's two fields in two packets. Then everything is
decoded once: dearer than listing packets by far, and still a small part of a rendering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from broker.framing import NO_TIME, first_field
from farm.errors import UnsupportedMedia
from farm.media.info import MediaInfo
from farm.media.opening import open_video, reading
from farm.media.table import DISCARD, HIDDEN, KEY, SKIPPED, TOLD, Times

#: Packets between two reports of progress.
_REPORT_EVERY = 64

#: Packets that are decoded to see whether each shows a frame.
_SAMPLE = 64

#: Frames a second where a raw stream does not say.
_USUAL_RATE = Fraction(25)

Report = Callable[[int, int], None]


def sends_fields_apart(path: Path, info: MediaInfo, num_packets: int) -> bool:
    """Say whether two packets make one frame, as in some broadcasts' H.264 (PAFF)."""
    if info.video.codec != "h264" or not first_field(info.video.field_order):
        return False
    sample = min(_SAMPLE, num_packets)
    # Damaged frames at the beginning are fewer than a quarter; second fields are half.
    return len(_shown(path, info, sample, _silent)[0]) <= sample * 3 // 4


def tell_by_decoding(
    path: Path, info: MediaInfo, pts: Times, dts: Times, flags: Times, *, report: Report
) -> None:
    """Fill in, in place, which packets show a frame and when. Arrays have shape (num_packets,).

    Packets that show none become HIDDEN; where the video is salvaged, those that show a damaged one, too.
    Frames without a time get the packets' decode times in order, as players do; without those, as many a
    second as the stream says. They are marked TOLD.

    Raises:
        UnsupportedMedia: no frame comes out.
    """
    shown, delay = _shown(path, info, len(pts), report, only_whole=info.is_salvaged)
    order = np.array([number for number in shown if number < len(pts)], np.int64)
    if len(order) == 0:
        raise UnsupportedMedia("no frame can be decoded", hint="check with ffplay whether the file plays")
    hidden = np.ones(len(pts), bool)
    hidden[order] = False
    flags[hidden & (flags & DISCARD == 0)] |= HIDDEN | (SKIPPED if info.is_salvaged else 0)
    flags[hidden] &= ~KEY  # nobody can start at a second field
    if (pts[order] == NO_TIME).any():
        pts[order] = _times(np.sort(dts[order]), delay, info)
        flags[order] |= TOLD


def whole_packets(path: Path, info: MediaInfo, num_packets: int, report: Report) -> list[int]:
    """Return the packets whose frames come out undamaged."""
    return _shown(path, info, num_packets, report, only_whole=True)[0]


def _times(dts: Times, delay: int, info: MediaInfo) -> Times:
    if dts[0] != NO_TIME:
        # The first frame is shown when a decoder can be sure of it: so many packets later.
        return dts + int(dts[min(delay, len(dts) - 1)] - dts[0])
    step = 1 / (info.video.average_rate or _USUAL_RATE) / info.video.time_base
    return np.array([round(number * step) for number in range(len(dts))], np.int64)


def _shown(
    path: Path, info: MediaInfo, num_packets: int, report: Report, *, only_whole: bool = False
) -> tuple[list[int], int]:
    """Return the packet behind every frame, in the order of showing, and how many a decoder keeps back."""
    shown: list[int] = []
    with open_video(path) as container, reading(path):
        stream = container.streams[info.video.index]
        assert isinstance(stream, av.VideoStream)
        # Frames decoded beside one another may be marked as damaged too late.
        stream.thread_type = "SLICE" if only_whole else "AUTO"
        for number, packet in enumerate(container.demux(stream)):
            if packet.size == 0 or number >= num_packets:
                break
            packet.pts = number
            shown += _numbers(stream, packet, only_whole=only_whole)
            if number % _REPORT_EVERY == 0:
                report(packet.pos or 0, info.size_bytes)
        shown += _numbers(stream, None, only_whole=only_whole)
        return shown, stream.codec_context.reorder_depth


def _numbers(stream: av.VideoStream, packet: av.Packet[Any] | None, *, only_whole: bool) -> Iterator[int]:
    try:
        pictures = stream.decode(packet)
    except av.error.FFmpegError:  # it leans on what is not there
        return
    for picture in pictures:
        if picture.pts is not None and not (only_whole and picture.is_corrupt):
            yield picture.pts


def _silent(done: int, total: int) -> None:
    pass
