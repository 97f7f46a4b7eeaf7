"""What `farm probe` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from farm.album.opening import is_pictures
from farm.cli.exits import DONE
from farm.cli.picturing import show_pictures
from farm.cli.wording import columns, duration, json_line
from farm.config import absolute_path
from farm.media.info import Json, MediaInfo, OtherStream, StreamInfo
from farm.media.probe import probe

#: Decimal places of a frame rate: 23.976 is not 24.
RATE_PLACES = 3


def show_probe(path: Path, *, as_json: bool) -> int:
    """Print what a video's header says."""
    path = absolute_path(path)
    if is_pictures(path):
        return show_pictures(path, as_json=as_json)
    info = probe(path)
    sys.stdout.write(json_line(to_json(info)) if as_json else _text(path, info))
    return DONE


def to_json(info: MediaInfo) -> Json:
    """Return the object that `--json` prints: exact times as fractions, and beside them plain numbers."""
    others = [{**stream.to_json(), "duration_seconds": _number(stream.duration_s)} for stream in info.others]
    return {
        **info.to_json(),
        "duration_seconds": _number(info.duration_s),
        "video": {**info.video.to_json(), "fps": _number(info.video.average_rate)},
        "others": others,
    }


def _number(exact: Fraction | None) -> float | None:
    return None if exact is None else float(exact)


def _text(path: Path, info: MediaInfo) -> str:
    length_s = None if info.duration_s is None else float(info.duration_s)
    head = f"{path}: {info.container}, {duration(length_s)}, {info.size_bytes:,} bytes\n"
    rows = [_video_row(info.video), *(_other_row(stream) for stream in info.others)]
    return head + columns(("STREAM", "KIND", "CODEC", "DETAILS"), rows) + "\n"


def _video_row(video: StreamInfo) -> tuple[str, ...]:
    return str(video.index), "video", video.codec, ", ".join(_video_details(video))


def _video_details(video: StreamInfo) -> Iterator[str]:
    width, height = video.upright_size
    yield f"{width}x{height}"
    if video.average_rate is not None:
        yield f"{float(video.average_rate):.{RATE_PLACES}f}".rstrip("0").rstrip(".") + " fps"
    yield f"{video.pix_fmt} ({video.bit_depth} bit)"
    yield f"time base {video.time_base}"
    if video.rotation:
        yield f"turned by {video.rotation} degrees"
    if video.hflip:
        yield "mirrored"
    if video.sample_aspect_ratio not in {None, 1}:
        yield f"pixel aspect {video.sample_aspect_ratio}"
    if video.has_b_frames:
        yield "B-frames"
    yield from video.dynamic_light


def _other_row(stream: OtherStream) -> tuple[str, ...]:
    length = "" if stream.duration_s is None else duration(float(stream.duration_s))
    details = ", ".join(detail for detail in (stream.language or "", length) if detail)
    return str(stream.index), stream.kind, stream.codec, details
