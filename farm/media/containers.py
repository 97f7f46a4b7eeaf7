"""The containers that outputs are written in, and what each of them can hold."""

from __future__ import annotations

import functools
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import av

from farm.errors import OutputRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A kind of output file."""

    suffix: str  # of the file's name, with the dot
    muxer: str  # FFmpeg's name
    tick_s: float | None = None  # times are rounded to this; None: the input's own time base is kept
    keeps_offset: bool = True  # times may be negative, or begin late; otherwise all are shifted alike


# RFC 9043 defines FFV1 in MP4, but what plays .mp4 files does not, as a rule, know it.
MP4 = Container(suffix=".mp4", muxer="mp4")
MOV = Container(suffix=".mov", muxer="mov")
MATROSKA = Container(suffix=".mkv", muxer="matroska", tick_s=0.001, keeps_offset=False)
WEBM = Container(suffix=".webm", muxer="webm", tick_s=0.001, keeps_offset=False)

_BY_SUFFIX = {".mp4": MP4, ".m4v": MP4, ".mov": MOV, ".mkv": MATROSKA, ".webm": WEBM}

#: FFmpeg takes these into a QuickTime file's MP4 form only, and says so late.
_MP4_FORM_ONLY = {"av1", "vp9"}

#: Muxers that list coding formats which they then refuse, or take as experimental only.
_PROMISE_TOO_MUCH = {"mp4", "mov"}

_HEVC_TAG = "hvc1"

_TRIAL_RATE = 48_000  # samples a second; any rate that all audio formats know


def container_for(path: Path) -> Container:
    """Return the container that a file name's suffix asks for.

    Raises:
        OutputRefused: none that is written here.
    """
    container = _BY_SUFFIX.get(path.suffix.lower())
    if container is None:
        raise OutputRefused(
            f"cannot write {path.suffix or 'a file without a suffix'}",
            hint=f"name the output with one of: {', '.join(_BY_SUFFIX)}",
        )
    return container


def muxer_for(container: Container, video: str, audio: Collection[str]) -> str | None:
    """Return the muxer that writes these coding formats into a container; None if it cannot hold the video.

    Audio only decides between muxers: whether it is held at all is the caller's to ask.
    """
    if container is MP4 and video == "ffv1":
        return None
    # FFmpeg writes some formats into the MP4 form of a QuickTime file only; the same programs read both.
    muxers = [MOV.muxer, MP4.muxer] if container is MOV else [container.muxer]
    if video in _MP4_FORM_ONLY and container is MOV:
        muxers = [MP4.muxer]
    able = [muxer for muxer in muxers if holds(muxer, video)]
    return max(able, key=lambda muxer: sum(holds(muxer, codec) for codec in audio), default=None)


def codec_tag(muxer: str, codec: str, encoders_own: str) -> str | None:
    """Return the four letters that a container calls a coding format by; None: the muxer's own choice.

    `encoders_own` is what the encoder says; of ProRes' profiles, nothing else tells.
    """
    if muxer not in {"mp4", "mov"}:
        return None
    # Apple's players know HEVC by this name alone, with its parameter sets in the header, as they are here.
    return _HEVC_TAG if codec == "hevc" else encoders_own or None


@functools.cache
def holds(muxer: str, codec: str) -> bool:
    """Say whether a container takes a coding format, by asking FFmpeg to begin such a file."""
    trial = av.open(io.BytesIO(), "w", format=muxer)
    try:
        stream = trial.add_mux_stream(codec, rate=_TRIAL_RATE)
        if muxer in _PROMISE_TOO_MUCH and stream.type == "audio":
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True
