"""How each encoder must be set so that chunks, encoded apart, join without a seam.

That is: closed GOPs, which lean on nothing before them, and parameter sets that say nothing that differs from
chunk to chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from farm.codings import X264Preset
from farm.media.light import NO_LIGHT, Light

SPEEDS: tuple[str, ...] = get_args(X264Preset)

_B_FRAMES = 3

#: SVT-AV1's presets count down from 13. From 10 on it warns of artifacts itself, and at 12 its lossless mode
#: (4.1.0) writes what dav1d cannot decode.
_SVT_PRESETS = dict(zip(SPEEDS, (9, 9, 9, 8, 7, 6, 5, 4, 3, 2), strict=True))

#: libvpx's cpu-used in its "good" mode counts down from 5; beyond that only the "realtime" mode goes.
_VPX_SPEEDS = dict(zip(SPEEDS, (5, 5, 5, 4, 3, 2, 1, 1, 0, 0), strict=True))

#: NVENC's presets count up from p1, the fastest.
_NVENC_PRESETS = dict(zip(SPEEDS, (1, 1, 2, 2, 3, 4, 5, 6, 7, 7), strict=True))

#: A rate that is asked for is a mean: peaks may reach this multiple of it, over a buffer of so many seconds.
_PEAK, _BUFFER_S = 1.5, 2

#: VP9 is cut into columns of this many pixels at least, as a power of two, so that cores can share a picture.
_TILE_COLUMNS_LOG2 = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """What is wanted of one encode. Either `crf` or `bitrate` counts, and neither when `lossless`."""

    crf: int | None = None
    bitrate: int | None = None  # bits a second, on average
    speed: str = "medium"  # one of `SPEEDS`
    interval: int = 50  # frames between keyframes, at most
    lossless: bool = False
    is_small: bool = False  # a picture too small to be divided among cores
    pix_fmt: str = "yuv420p"
    profile: str | None = None  # ProRes: one of `PRORES_PROFILES`
    fields: str = ""  # of interlaced video, the one shown first: "tff" or "bff"
    light: Light = NO_LIGHT  # HDR's static data


PRORES_PROFILES = ("proxy", "lt", "standard", "hq", "4444", "4444xq")


def libx264(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for libx264."""
    return {
        "preset": wanted.speed,
        # Not crf 0, which is lossless at 8 bits only.
        **({"qp": "0"} if wanted.lossless else _rate(wanted)),
        "g": str(wanted.interval),
        "bf": str(_B_FRAMES),
        "b-pyramid": "normal",
        "flags": "+cgop",
        "x264-params": "stitchable=1:open-gop=0" + (f":{wanted.fields}=1" if wanted.fields else ""),
    }


def libx265(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for libx265."""
    own = ["open-gop=0", "b-pyramid=1", "info=0", "log-level=error"]
    own += ["lossless=1"] if wanted.lossless else []
    own += [wanted.light.x265] if wanted.light else []
    return {
        "preset": wanted.speed,
        **({} if wanted.lossless else _rate(wanted)),
        "g": str(wanted.interval),
        "bf": str(_B_FRAMES),
        "x265-params": ":".join(own),
    }


def libsvtav1(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for libsvtav1. Its GOPs are closed by themselves (intra refresh type 2)."""
    own = ["lossless=1"] if wanted.lossless else []
    own += [wanted.light.svt_av1] if wanted.light else []
    return {
        "preset": str(_SVT_PRESETS[wanted.speed]),
        **({} if wanted.lossless else {"b": str(wanted.bitrate)} if wanted.bitrate else _rate(wanted)),
        "g": str(wanted.interval),
        **({"svtav1-params": ":".join(own)} if own else {}),
    }


def libvpx_vp9(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for libvpx-vp9. Hidden pictures travel inside the packets of shown ones."""
    return {
        "deadline": "good",
        "cpu-used": str(_VPX_SPEEDS[wanted.speed]),
        **({"lossless": "1"} if wanted.lossless else {"b": "0"} | _rate(wanted)),
        "g": str(wanted.interval),
        "row-mt": "1",
        "tile-columns": "0" if wanted.is_small else str(_TILE_COLUMNS_LOG2),
    }


def prores(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for prores_ks: every frame stands alone, its profile sets its size."""
    full = "4444" if "444" in wanted.pix_fmt else "hq"
    # Apple's own vendor mark: some editors refuse files with another.
    fields = {"flags": "+ildct"} if wanted.fields else {}
    return {"profile": wanted.profile or full, "vendor": "apl0", **fields}


def ffv1(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for ffv1."""
    return {
        "level": "3",  # the version with slices and checksums, RFC 9043
        "g": "1",  # every frame stands alone
        "slices": "4" if wanted.is_small else "16",  # so that one frame keeps several cores busy
        "slicecrc": "1",  # damage is found, not shown
    }


def nvenc(wanted: EncoderSettings) -> dict[str, str]:
    """Return options for NVENC's encoders: constant quality, so that no chunk starts a rate control."""
    quality = {"cq": str(wanted.crf), "b": "0"} if wanted.bitrate is None else _rate(wanted)
    return {
        "preset": f"p{_NVENC_PRESETS[wanted.speed]}",
        "rc": "vbr",
        **quality,
        "g": str(wanted.interval),
        "strict_gop": "1",
        "forced-idr": "1",
    }


def _rate(wanted: EncoderSettings) -> dict[str, str]:
    if wanted.bitrate is None:
        return {"crf": str(wanted.crf)}
    return {
        "b": str(wanted.bitrate),
        "maxrate": str(int(wanted.bitrate * _PEAK)),
        "bufsize": str(wanted.bitrate * _BUFFER_S),
    }
