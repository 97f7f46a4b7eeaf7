"""Moments in a video as people write them: frames, seconds, times of day, time code."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from farm.errors import BadInput
from farm.media.table import Manifest

HINT = "write a frame (120f), seconds (12.5), a time (00:01:30.250), or time code (00:01:30:12, 00:01:30;12)"

_FRAME = re.compile(r"(\d+)f")
_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")
_TIME_CODE = re.compile(r"(\d+):(\d{1,2}):(\d{1,2})([:;])(\d{1,3})")

#: SMPTE 12M drop-frame time code: of every minute but each tenth, this share of a nominal second's frames
#: (2 of 30, 4 of 60) has no number.
_DROPPED = Fraction(2, 30)

_USUAL_RATE = Fraction(25)  # for estimates alone, where the header names none


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame, or a time after the first frame. One of the two is set."""

    frame: int | None = None
    seconds: Fraction | None = None


def parse_moment(text: str, rate: Fraction | None) -> Moment:
    """Read a moment; `rate`, the input's frames a second, is what time code counts by.

    Raises:
        BadInput: it is none.
    """
    text = text.strip()
    if found := _FRAME.fullmatch(text):
        return Moment(frame=int(found[1]))
    if found := _TIME.fullmatch(text):
        hours_s, minutes_s, rest_s = (Fraction(each or 0) for each in found.groups())
        return Moment(seconds=3600 * hours_s + 60 * minutes_s + rest_s)
    if found := _TIME_CODE.fullmatch(text):
        if rate is None:
            raise BadInput(f"{text}: the input's frame rate is not known", hint="write a frame: 120f")
        hours, minutes, seconds, frames = (int(found[number]) for number in (1, 2, 3, 5))
        return Moment(frame=_counted((hours * 60 + minutes), seconds, frames, found[4] == ";", rate))
    raise BadInput(f"{text!r} is no moment in a video", hint=HINT)


def frame_at(moment: Moment, manifest: Manifest) -> int:
    """Return the first frame that is shown at or after a moment; `num_frames` if there is none."""
    if moment.frame is not None:
        return min(moment.frame, manifest.num_frames)
    assert moment.seconds is not None
    ticks = math.ceil(moment.seconds / manifest.time_base)
    return int(np.searchsorted(manifest.pts, int(manifest.pts[0]) + ticks))


def frames_between(
    start: str | None, end: str | None, manifest: Manifest, rate: Fraction | None
) -> tuple[int, int]:
    """Return the frames [first, stop) from `start` up to `end`; None: from the first, to the last.

    Raises:
        BadInput: one is no moment, or no frame lies between them.
    """
    first = 0 if start is None else frame_at(parse_moment(start, rate), manifest)
    stop = manifest.num_frames if end is None else frame_at(parse_moment(end, rate), manifest)
    if first >= stop:
        raise BadInput(
            f"no frame lies between {start or 'the beginning'} and {end or 'the end'}: "
            f"the video has {manifest.num_frames} frames in {float(manifest.duration_s):.3f} s",
            hint="--start is the first frame kept, --end the first one that is not",
        )
    return first, stop


def seconds_between(
    start: str | None, end: str | None, duration_s: Fraction, rate: Fraction | None
) -> Fraction:
    """Return about how many seconds of a video lie between two moments: from its header, without its frames.

    Raises:
        BadInput: one is no moment.
    """
    begin = Fraction(0) if start is None else _seconds(parse_moment(start, rate), rate)
    stop = duration_s if end is None else min(duration_s, _seconds(parse_moment(end, rate), rate))
    return max(stop - begin, Fraction(0))


def _seconds(moment: Moment, rate: Fraction | None) -> Fraction:
    if moment.seconds is not None:
        return moment.seconds
    assert moment.frame is not None
    return moment.frame / (rate or _USUAL_RATE)


def _counted(minutes: int, seconds: int, frames: int, is_drop: bool, rate: Fraction) -> int:
    """Return how many frames come before a time code."""
    nominal = math.ceil(rate)
    dropped = round(_DROPPED * nominal) * (minutes - minutes // 10) if is_drop else 0
    return (minutes * 60 + seconds) * nominal + frames - dropped
