"""Whether a video is as long as its header says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from farm.errors import TruncatedVideo
from farm.media.info import MediaInfo
from farm.media.opening import CUT_SHORT_HINT, open_video, reading

#: Headers round, and count a last frame or not: seconds, and share of the length, that may be missing.
_SLACK_S = Fraction(1)
_SLACK = Fraction(1, 50)

#: Demuxers whose duration is a header's, not an estimate from the file itself. (MP4's index is compared
#: packet by packet, which is better.)
_SAYS_SO = ("matroska", "flv", "asf", "nut", "avi")


def check_length(path: Path, info: MediaInfo, video_s: Fraction) -> None:
    """Compare the header's duration with what was read: `video_s` seconds of video, and other streams.

    Raises:
        TruncatedVideo: all streams end well before the header says.
    """
    if info.duration_s is None or not info.container.startswith(_SAYS_SO):
        return
    least = info.duration_s * (1 - _SLACK) - _SLACK_S
    if video_s < least and (found := _longest(path)) < least:
        raise cut_short(f"{path.name} ends after {float(found):.1f} of {float(info.duration_s):.1f} seconds")


def cut_short(message: str) -> TruncatedVideo:
    """Return the error for a file that lacks its end."""
    return TruncatedVideo(message, hint=CUT_SHORT_HINT)


def _longest(path: Path) -> Fraction:
    """Return the seconds from the first packet's time, of any stream, to the last packet's end."""
    first, last = None, Fraction(0)
    with open_video(path) as container, reading(path):
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            start = packet.pts * packet.time_base
            first = start if first is None else min(first, start)
            last = max(last, start + (packet.duration or 0) * packet.time_base)
    return last - (first or 0)
