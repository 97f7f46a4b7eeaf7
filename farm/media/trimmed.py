"""What trimming does to everything that is copied: packets, chapters, time code.

No packet is changed, so sound begins and ends at packet borders. At the beginning MP4 and QuickTime keep the
packet that the first sample lies in and one before it, for the decoder to warm up on, at times below 0,
which an edit list then hides: sound begins at the sample. Other containers have nothing of the kind, and
sound begins with the first whole packet. At the end the last packet may go on: for 21 ms at most in AAC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av

from farm.media.exact import rounded

Span = tuple[Fraction, Fraction]
AnyPacket: TypeAlias = "av.Packet[Any]"

#: Muxers that hide what lies before 0.
_WITH_EDIT_LISTS = {"mp4", "mov"}

_TIME_CODE = re.compile(r"(\d+):(\d+):(\d+)([:;.])(\d+)")


def trimmed_packets(packets: Iterable[AnyPacket], span_s: Span, muxer: str) -> Iterator[AnyPacket]:
    """Yield the packets that belong into `span_s` of the input, at their times in the output."""
    keeps_warm_up = muxer in _WITH_EDIT_LISTS
    before: dict[int, AnyPacket] = {}  # by stream: the last packet that lies before the span
    for packet in packets:
        begin, end = _times(packet)
        if begin >= span_s[1]:
            continue
        is_sound = packet.stream.type == "audio"
        if end <= span_s[0] or (is_sound and begin < span_s[0] and not keeps_warm_up):
            if is_sound and keeps_warm_up:
                before[packet.stream_index] = packet
            continue
        warm_up = before.pop(packet.stream_index, None)
        if warm_up is not None:
            yield _moved(warm_up, span_s[0])
        yield _clipped(packet, span_s) if not is_sound else _moved(packet, span_s[0])


def trimmed_chapters(chapters: Iterable[Any], span_s: Span) -> list[Any]:
    """Return the chapters that lie at least partly in `span_s`, cut to it, at their times in the output."""
    kept: list[Any] = []
    for chapter in chapters:
        base = chapter["time_base"]
        begin = max(chapter["start"] * base, span_s[0]) - span_s[0]
        end = min(chapter["end"] * base, span_s[1]) - span_s[0]
        if begin < end:
            moved = {"start": rounded(1, begin, base), "end": rounded(1, end, base)}
            kept.append({**chapter, **moved, "id": len(kept) + 1})
    return kept


def shifted_time_code(text: str, frames: int, rate: Fraction | None) -> str:
    """Return the time code that comes `frames` later; as it was where it cannot be read."""
    found = _TIME_CODE.fullmatch(text)
    if found is None or rate is None:
        return text
    nominal = -(-rate.numerator // rate.denominator)
    dropped = nominal // 15 if found[4] != ":" else 0  # SMPTE 12M: frame numbers left out of most minutes
    hours, minutes, seconds, number = (int(found[place]) for place in (1, 2, 3, 5))
    total_minutes = hours * 60 + minutes
    total = (total_minutes * 60 + seconds) * nominal + number
    total += frames - dropped * (total_minutes - total_minutes // 10)
    return _time_code(total, nominal, dropped, found[4])


def _time_code(total: int, nominal: int, dropped: int, mark: str) -> str:
    if dropped:
        in_minute, in_ten = nominal * 60 - dropped, nominal * 600 - 9 * dropped
        tens, rest = divmod(total, in_ten)
        total += 9 * dropped * tens + (dropped * ((rest - dropped) // in_minute) if rest > dropped else 0)
    seconds, number = divmod(total, nominal)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{number:02}"


def _times(packet: AnyPacket) -> Span:
    """Return when a packet begins and ends; one without times belongs to whatever is kept."""
    time = packet.dts if packet.pts is None else packet.pts
    if time is None or packet.time_base is None:
        return Fraction(-(2**63)), Fraction(2**63)
    begin = time * packet.time_base
    return begin, begin + (packet.duration or 0) * packet.time_base


def _moved(packet: AnyPacket, by_s: Fraction) -> AnyPacket:
    assert packet.time_base is not None
    ticks = rounded(1, by_s, packet.time_base)
    packet.pts = None if packet.pts is None else packet.pts - ticks
    packet.dts = None if packet.dts is None else packet.dts - ticks
    return packet


def _clipped(packet: AnyPacket, span_s: Span) -> AnyPacket:
    """Cut a subtitle to the span."""
    if packet.pts is None or packet.time_base is None:
        return packet
    begin, end = _times(packet)
    kept = (max(begin, span_s[0]), min(end, span_s[1]))
    packet.pts = packet.dts = rounded(1, kept[0] - span_s[0], packet.time_base)
    packet.duration = rounded(1, kept[1] - kept[0], packet.time_base)
    return packet
