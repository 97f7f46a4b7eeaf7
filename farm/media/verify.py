"""Check a finished output against what was promised, by reading it packet by packet."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from farm.errors import StitchMismatch
from farm.media.exact import rounded
from farm.media.info import MediaInfo
from farm.media.moved import must_move
from farm.media.opening import open_video, reading
from farm.media.table import Times
from farm.media.target import Target
from farm.media.timeline import Timeline

#: Matroska's time stamps must not be negative: its muxer moves all streams alike when one begins before 0.
_MAY_SHIFT = {"matroska", "webm"}


#: How FFmpeg reads what this farm writes as pictures; videos are opened as users' files are.
_PICTURE_FORMATS = {".gif": "gif", ".jpg": "jpeg_pipe", ".jpeg": "jpeg_pipe", ".png": "png_pipe"}


@dataclass(frozen=True, slots=True)
class _Found:
    time_base: Fraction
    pts: Times  # sorted
    end: int
    counts: Counter[int]  # packets by stream


def verify(
    path: Path,
    timeline: Timeline,
    info: MediaInfo,
    target: Target,
    *,
    copied: Mapping[int, int] | None = None,
) -> None:
    """Check frames, times and streams of a finished file. `copied` is `MuxReport.copied`.

    Every frame's time must be the timeline's, rounded as the container's time base rounds it; Matroska may
    move all of them by one amount.

    Raises:
        StitchMismatch: what differs.
        BadInput: the file cannot be opened at all.
    """
    found = _read(path, may_repeat=bool((timeline.pts[1:] == timeline.pts[:-1]).any()))
    if len(found.pts) != timeline.num_frames:
        raise StitchMismatch(f"the output has {len(found.pts)} of {timeline.num_frames} frames")
    may_shift = target.container in _MAY_SHIFT or must_move(target.container, timeline)
    _check_times(found, timeline, may_shift=may_shift)
    if timeline.span_s is None:
        _check_tracks(found, info)
    _check_copies(found, copied or {})


def verify_picture(path: Path, num_frames: int, size: tuple[int, int] | None) -> None:
    """Check a finished GIF or still: it decodes, to so many frames of that size.

    Raises:
        StitchMismatch: what differs, or that it cannot be read.
    """
    try:
        with av.open(f"file:{path.absolute()}", format=_PICTURE_FORMATS[path.suffix.lower()]) as container:
            sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    except av.error.FFmpegError as error:
        raise StitchMismatch(f"{path.name} cannot be read: {error.strerror}") from error
    if len(sizes) != num_frames:
        raise StitchMismatch(f"{path.name} has {len(sizes)} of {num_frames} frames")
    if size is not None and set(sizes) != {size}:
        raise StitchMismatch(f"{path.name} is {sizes[0]} pixels large, not {size}")


def _read(path: Path, *, may_repeat: bool) -> _Found:
    """Read all packets; the video is stream 0. `may_repeat`: frames share times, and Matroska has no others.

    Raises:
        StitchMismatch: decode times do not grow.
    """
    pts, ends, counts, last = array("q"), 0, Counter[int](), dict[int, int]()
    with open_video(path) as container, reading(path):
        time_base = container.streams[0].time_base
        for packet in container.demux():
            number, dts = packet.stream_index, packet.dts
            if packet.size == 0 and packet.pts is None:
                continue
            counts[number] += 1
            if dts is not None:
                if dts < last.get(number, dts) or (
                    number == 0 and dts == last.get(number) and not may_repeat
                ):
                    raise StitchMismatch(
                        f"in stream {number} of {path.name}, decode time {dts} comes too late"
                    )
                last[number] = dts
            if number == 0 and packet.pts is not None:
                pts.append(packet.pts)
                ends = max(ends, packet.pts + (packet.duration or 0))
    assert time_base is not None
    return _Found(time_base, np.sort(np.frombuffer(pts, np.int64)), ends, counts)


def _check_times(found: _Found, timeline: Timeline, *, may_shift: bool) -> None:
    wanted = _rescaled(timeline.pts, timeline.time_base, found.time_base)
    shift = int(found.pts[0] - wanted[0]) if may_shift else 0
    wrong = np.flatnonzero(found.pts != wanted + shift)
    if len(wrong):
        frame = int(wrong[0])
        raise StitchMismatch(
            f"{len(wrong)} frames have other times than the input's; the first is frame {frame}: "
            f"{found.pts[frame]} instead of {wanted[frame] + shift} (in units of {found.time_base} s)"
        )
    end = _rescaled(np.array([timeline.end]), timeline.time_base, found.time_base)[0] + shift
    longest = int(timeline.durations.max()) * timeline.time_base / found.time_base
    if abs(found.end - int(end)) > max(longest, Fraction(1)):
        raise StitchMismatch(
            f"the output's video ends {float((found.end - int(end)) * found.time_base):+.3f} s off"
        )


def _check_tracks(found: _Found, info: MediaInfo) -> None:
    num_others = len([number for number in found.counts if number != 0])
    if num_others < len(info.audio):
        raise StitchMismatch(f"the output has sound in {num_others} of {len(info.audio)} tracks")


def _check_copies(found: _Found, copied: Mapping[int, int]) -> None:
    for number, count in copied.items():
        if found.counts[number] != count:
            raise StitchMismatch(
                f"stream {number} of the output has {found.counts[number]} of {count} packets"
            )


def _rescaled(times: Times, old: Fraction, new: Fraction) -> Times:
    """Rescale as FFmpeg does: to the nearest tick, halves away from zero."""
    ratio = old / new
    if ratio.denominator == 1:
        return times * ratio.numerator
    return np.array([rounded(time, old, new) for time in times.tolist()], np.int64)
