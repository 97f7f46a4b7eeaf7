"""The containers that outputs are written in, and what each of them can hold."""

from __future__ import annotations

import functools
import io
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

_BY_SUFFIX = {".mp4": MP4, ".m4v": MP4, ".mov": MOV, ".mkv": MATROSKA}

#: FFmpeg's tables list these, and its MP4 muxer then refuses them as experimental.
_EXPERIMENTAL = {("mp4", "truehd"), ("mov", "truehd")}


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


def muxer_for(container: Container, codec: str) -> str | None:
    """Return the muxer that writes `codec` video into a container, or None if it cannot hold it."""
    if container is MP4 and codec == "ffv1":
        return None
    if holds(container.muxer, codec):
        return container.muxer
    # FFmpeg writes FFV1 into the MP4 form of a QuickTime file only; the same programs read both.
    if container is MOV and holds(MP4.muxer, codec):
        return MP4.muxer
    return None


@functools.cache
def holds(muxer: str, codec: str) -> bool:
    """Say whether a container takes a coding format, by FFmpeg's own tables."""
    if (muxer, codec) in _EXPERIMENTAL:
        return False
    trial = av.open(io.BytesIO(), "w", format=muxer)
    try:
        trial.add_mux_stream(codec)
    except ValueError:
        return False
    return True
