"""The encoders that outputs may be made with, and what each of them can do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from farm.media import encoder_options as options_of
from farm.media.encoder_options import EncoderSettings

#: Seconds between keyframes at most: players seek to keyframes, and people expect to land near.
KEYFRAME_S = 2

#: With B-frames that others lean on (a pyramid), at most two pictures wait for a later one.
_PYRAMID_DELAY = 2

#: The names by which people know speeds, from x264 (x264_preset_names in its x264.h), fastest first. Every
#: encoder here has a scale of its own; `farm.media.encoder_options` translates.
SPEEDS = options_of.SPEEDS
DEFAULT_SPEED = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderKind:
    """An encoder: what it writes, and how it is told what the user wants."""

    codec: str  # FFmpeg's name of what it writes
    options: Callable[[EncoderSettings], dict[str, str]]
    reorder: int = 0  # packets by which decode order runs ahead of presentation, at most
    crf: int | None = None  # constant quality that looks like the input; None: there is no such scale
    worst_crf: int = 51  # the scale is [0, worst_crf]; lower is better
    is_lossless: bool = False  # it has no other way
    can_be_lossless: bool = False
    takes_bitrate: bool = True
    needs_even_sides: bool = False  # it refuses pictures with odd sides where colour is subsampled
    fallback: str | None = None  # for encoders in hardware: the one in software that writes the same format


#: By FFmpeg's names. The qualities by default are alike to the eye: 18 is what x264's users call transparent,
#: and the others' scales are offset from it (x265's own documentation names 2 more; AV1 and VP9 count to 63).
ENCODERS: dict[str, EncoderKind] = {
    "libx264": EncoderKind(
        codec="h264",
        options=options_of.libx264,
        reorder=_PYRAMID_DELAY,
        crf=18,
        can_be_lossless=True,
        needs_even_sides=True,
    ),
    "libx265": EncoderKind(
        codec="hevc",
        options=options_of.libx265,
        reorder=_PYRAMID_DELAY,
        crf=20,
        can_be_lossless=True,
        needs_even_sides=True,
    ),
    "libsvtav1": EncoderKind(
        codec="av1", options=options_of.libsvtav1, crf=24, worst_crf=63, can_be_lossless=True
    ),
    "libvpx-vp9": EncoderKind(
        codec="vp9", options=options_of.libvpx_vp9, crf=22, worst_crf=63, can_be_lossless=True
    ),
    "prores_ks": EncoderKind(codec="prores", options=options_of.prores, takes_bitrate=False),
    "ffv1": EncoderKind(
        codec="ffv1",
        options=options_of.ffv1,
        is_lossless=True,
        can_be_lossless=True,
        takes_bitrate=False,
    ),
    "h264_nvenc": EncoderKind(
        codec="h264",
        options=options_of.nvenc,
        reorder=_PYRAMID_DELAY,
        crf=20,
        needs_even_sides=True,
        fallback="libx264",
    ),
    "hevc_nvenc": EncoderKind(
        codec="hevc",
        options=options_of.nvenc,
        reorder=_PYRAMID_DELAY,
        crf=22,
        needs_even_sides=True,
        fallback="libx265",
    ),
    "av1_nvenc": EncoderKind(
        codec="av1",
        options=options_of.nvenc,
        crf=28,
        worst_crf=63,
        needs_even_sides=True,
        fallback="libsvtav1",
    ),
}

#: What each coding format is written with, unless something else is asked for.
SOFTWARE = {kind.codec: name for name, kind in ENCODERS.items() if kind.fallback is None}
HARDWARE = {kind.codec: name for name, kind in ENCODERS.items() if kind.fallback is not None}


def keyframe_interval(rate: Fraction | None) -> int:
    """Return the largest number of frames between keyframes."""
    return max(1, math.ceil((rate or 25) * KEYFRAME_S))
