"""How each encoder must be set so that chunks, encoded apart, join without a seam."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

#: Seconds between keyframes at most: players seek to keyframes, and people expect to land near.
KEYFRAME_S = 2

_B_FRAMES = 3

#: With B-frames that others lean on (a pyramid), at most two pictures wait for a later one.
_PYRAMID_DELAY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the user may choose."""

    crf: int  # constant quality: 0 is lossless, 18 looks the same, 51 is worst
    preset: str  # slower presets make smaller files


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderKind:
    """An encoder that chunks may be encoded with."""

    codec: str  # FFmpeg's name of what it writes
    is_lossless: bool
    reorder: int  # packets by which decode order runs ahead of presentation, at most
    options: Callable[
        [Quality, int, bool], dict[str, str]
    ]  # quality, frames between keyframes, small picture


def keyframe_interval(rate: Fraction | None) -> int:
    """Return the largest number of frames between keyframes."""
    return max(1, math.ceil((rate or 25) * KEYFRAME_S))


def _libx264(quality: Quality, interval: int, is_small: bool) -> dict[str, str]:  # noqa: ARG001
    return {
        "preset": quality.preset,
        "crf": str(quality.crf),
        "g": str(interval),
        "bf": str(_B_FRAMES),
        "b-pyramid": "normal",
        # A closed GOP leans on nothing before it, so chunks can stand side by side in any company.
        "flags": "+cgop",
        # stitchable: parameter sets say nothing that differs from chunk to chunk.
        "x264-params": "stitchable=1:open-gop=0",
    }


def _libx265(quality: Quality, interval: int, is_small: bool) -> dict[str, str]:  # noqa: ARG001
    return {
        "preset": quality.preset,
        "crf": str(quality.crf),
        "g": str(interval),
        "bf": str(_B_FRAMES),
        "x265-params": "open-gop=0:b-pyramid=1:info=0:log-level=error",
    }


def _ffv1(quality: Quality, interval: int, is_small: bool) -> dict[str, str]:  # noqa: ARG001
    return {
        "level": "3",  # the version with slices and checksums, RFC 9043
        "g": "1",  # every frame stands alone
        "slices": "4" if is_small else "16",  # so that one frame keeps several cores busy
        "slicecrc": "1",  # damage is found, not shown
    }


ENCODERS = {
    "libx264": EncoderKind(codec="h264", is_lossless=False, reorder=_PYRAMID_DELAY, options=_libx264),
    "libx265": EncoderKind(codec="hevc", is_lossless=False, reorder=_PYRAMID_DELAY, options=_libx265),
    "ffv1": EncoderKind(codec="ffv1", is_lossless=True, reorder=0, options=_ffv1),
}
