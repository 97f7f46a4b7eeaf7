"""Named kinds of output, as `--to PATH:PRESET` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from farm.errors import BadInput
from farm.media.encoder_options import PRORES_PROFILES
from farm.media.wishes import NO_WISH, EncodingWish

Kind = Literal["video", "gif", "poster", "pictures"]

#: What pages and chats show without a click: hundredths of a second are a GIF's clock, so 10 is exact in it.
GIF_RATE = Fraction(10)
GIF_SIDE_PX = 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What one kind of output is."""

    about: str  # a line for people
    suffixes: tuple[str, ...]
    kind: Kind = "video"
    encoding: EncodingWish = NO_WISH
    depth: int | None = None  # bits a sample; None: the input's
    shorter_side_px: int | None = None  # larger pictures are made smaller, none is enlarged
    rate: Fraction | None = None  # frames a second; None: the input's own times


_MP4 = (".mp4", ".m4v", ".mov", ".mkv")
_HD, _SMALL_HD = 1080, 720
_PROXY_CRF = 23  # x264's own default: clearly good enough to cut and judge by

PRESETS: dict[str, Preset] = {
    "h264": Preset(about="H.264, as large as the input", suffixes=_MP4, encoding=EncodingWish(codec="h264")),
    "h264-1080p": Preset(
        about="H.264, 1080 lines at most: a proxy",
        suffixes=_MP4,
        encoding=EncodingWish(codec="h264", crf=_PROXY_CRF),
        depth=8,
        shorter_side_px=_HD,
    ),
    "h264-720p": Preset(
        about="H.264, 720 lines at most: for previews",
        suffixes=_MP4,
        encoding=EncodingWish(codec="h264", crf=_PROXY_CRF),
        depth=8,
        shorter_side_px=_SMALL_HD,
    ),
    "hevc": Preset(about="HEVC, as deep as the input", suffixes=_MP4, encoding=EncodingWish(codec="hevc")),
    "hevc-10bit": Preset(
        about="HEVC with 10 bits: a master", suffixes=_MP4, encoding=EncodingWish(codec="hevc"), depth=10
    ),
    "hevc-lossless": Preset(
        about="HEVC without any loss", suffixes=_MP4, encoding=EncodingWish(codec="hevc", lossless=True)
    ),
    "av1": Preset(
        about="AV1 with 10 bits, as streams have it",
        suffixes=(*_MP4, ".webm"),
        encoding=EncodingWish(codec="av1"),
        depth=10,
    ),
    "vp9": Preset(
        about="VP9, for the web", suffixes=(".webm", ".mkv", ".mp4"), encoding=EncodingWish(codec="vp9")
    ),
    **{
        f"prores-{profile}": Preset(
            about=f"ProRes {profile}, for editing",
            suffixes=(".mov", ".mkv"),
            encoding=EncodingWish(
                codec="prores",
                profile=profile,
                pix_fmt="yuv444p10le" if profile.startswith("4444") else "yuv422p10le",
            ),
        )
        for profile in PRORES_PROFILES
    },
    "ffv1": Preset(
        about="FFV1 without any loss, for archives",
        suffixes=(".mkv", ".mov"),
        encoding=EncodingWish(codec="ffv1", lossless=True),
    ),
    "gif": Preset(
        about=f"a GIF, {GIF_SIDE_PX} lines at most, {GIF_RATE} frames a second",
        suffixes=(".gif",),
        kind="gif",
        shorter_side_px=GIF_SIDE_PX,
        rate=GIF_RATE,
    ),
    "poster": Preset(
        about="the frame in the middle, as a picture", suffixes=(".jpg", ".jpeg", ".png"), kind="poster"
    ),
}

#: What a file's suffix means where no preset is named; for all others, the job's own options count.
_BY_SUFFIX = {suffix: name for name in ("gif", "poster") for suffix in PRESETS[name].suffixes}


def split_destination(text: str) -> tuple[str, str | None]:
    """Read `PATH[:PRESET]`; a path may have colons in it, and a preset has neither dot nor slash.

    Raises:
        BadInput: there is no preset of that name.
    """
    path, colon, name = text.rpartition(":")
    if not colon or "/" in name or "." in name:
        return text, None
    if name not in PRESETS:
        raise BadInput(f"no such preset: {name}", hint=f"choose one of: {', '.join(PRESETS)}")
    return path, name


def preset_for(path: Path, name: str | None) -> Preset | None:
    """Return the preset of a name, or else the one that a file's suffix means; None: neither.

    Raises:
        BadInput: there is none of that name, or it does not go into such a file.
    """
    suffix = path.suffix.lower()
    name = name or _BY_SUFFIX.get(suffix)
    if name is None:
        return None
    preset = PRESETS.get(name)
    if preset is None:
        raise BadInput(f"no such preset: {name}", hint=f"choose one of: {', '.join(PRESETS)}")
    if suffix not in preset.suffixes:
        raise BadInput(
            f"the preset {name} does not go into {suffix or 'a file without a suffix'}",
            hint=f"name the file with one of: {', '.join(preset.suffixes)}",
        )
    return preset
