"""Videos that begin before zero, as broadcasts' clocks let them: MP4 would cut off what lies there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

from farm.media.exact import rounded
from farm.media.info import MediaInfo
from farm.media.timeline import Timeline

#: Muxers whose files show nothing from before zero. (Matroska's moves all streams by itself.)
SHOWS_FROM_ZERO = {"mp4", "mov"}

#: Ticks of different streams that meet less often than this, in seconds, need not be met.
_RAREST = Fraction(1, 10)


def must_move(muxer: str, timeline: Timeline) -> bool:
    """Say whether the first frame would be cut off."""
    return muxer in SHOWS_FROM_ZERO and int(timeline.pts[0]) < 0


def move_of(source: InputContainer, muxer: str, timeline: Timeline, info: MediaInfo) -> Fraction:
    """Return the seconds by which all streams alike must be moved, so that none begins before zero.

    It is a whole number of every stream's ticks, where there is such a time near: then nothing is rounded.
    """
    if not must_move(muxer, timeline):
        return Fraction(0)
    starts = [source.streams[other.index].start_time for other in info.audio]
    times = [(start or 0) * (other.time_base or 0) for start, other in zip(starts, info.audio, strict=True)]
    start_s = min(int(timeline.pts[0]) * timeline.time_base, *times, Fraction(0))
    step = timeline.time_base
    for other in info.audio:
        together = _common_multiple(step, other.time_base or step)
        step = together if together <= _RAREST else step
    return math.ceil(-start_s / step) * step


def moved_packets(packets: Iterator[av.Packet[Any]], move_s: Fraction) -> Iterator[av.Packet[Any]]:
    """Yield packets with `move_s` seconds added to their times."""
    for packet in packets:
        if packet.time_base is not None:
            ticks = rounded(1, move_s, packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        yield packet


def _common_multiple(one: Fraction, other: Fraction) -> Fraction:
    return Fraction(math.lcm(one.numerator, other.numerator), math.gcd(one.denominator, other.denominator))
