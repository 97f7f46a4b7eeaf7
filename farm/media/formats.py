"""Which of an encoder's pixel formats is nearest to the input's."""

from __future__ import annotations

import functools

import av
from av.video.format import VideoFormat


def nearest_format(encoder: str, wanted: str, *, is_odd: bool, depth: int | None = None) -> str:
    """Return the encoder's own name for `wanted`, else the format that loses least.

    What is lost counts in this order: bit depth, colour against grey, colour resolution, RGB against YUV,
    transparency, and last of all bytes that are only padding.

    `is_odd`: the picture has an odd side, and some encoders then want formats without colour subsampling.
    `depth`: bits a sample, if they matter more than all else and the encoder has such formats.
    """
    offered = [name for name in _offered(encoder) if not (is_odd and _is_subsampled(name))]
    if depth is not None:
        offered = [name for name in offered if bit_depth(name) == depth] or offered
    if wanted in offered:
        return wanted
    return min(offered, key=lambda name: _loss(name, wanted))


def bit_depth(name: str) -> int:
    """Return the bits of a format's deepest component."""
    return max(component.bits for component in _format(name).components)


def has_alpha(name: str) -> bool:
    """Say whether a format carries transparency."""
    return any(component.is_alpha for component in _format(name).components)


def is_rgb(name: str) -> bool:
    """Say whether a format holds red, green and blue, as palettes do."""
    return _format(name).is_rgb


@functools.cache
def _offered(encoder: str) -> tuple[str, ...]:
    formats = av.Codec(encoder, "w").video_formats or []
    return tuple(each.name for each in formats if _is_plain(each))


def _is_plain(each: VideoFormat) -> bool:
    """Leave out palettes, big-endian twins and formats that live on a device."""
    return not each.has_palette and not each.is_big_endian and bool(each.components)


def _is_subsampled(name: str) -> bool:
    return min(_chroma(name)) < _SIDE


def _loss(name: str, wanted: str) -> tuple[int, ...]:
    has, wants = _format(name), _format(wanted)
    depth, depth_wanted = bit_depth(name), bit_depth(wanted)
    colour, colour_wanted = _chroma(name), _chroma(wanted)
    return (
        max(0, depth_wanted - depth),
        int(_is_grey(has) and not _is_grey(wants)),
        sum(max(0, b - a) for a, b in zip(colour, colour_wanted, strict=True)),
        int(has.is_rgb != wants.is_rgb),
        int(has_alpha(wanted) and not has_alpha(name)),
        abs(depth - depth_wanted),
        abs(sum(colour) - sum(colour_wanted)),
        int(has_alpha(name) and not has_alpha(wanted)),
        int(_is_grey(has) != _is_grey(wants)),
        int(name.startswith("yuvj") != wanted.startswith("yuvj")),
    )


_PALETTE_HOLDS = "bgra"  # the colours that a palette's indexes stand for

_SIDE = 64  # pixels; any even multiple of the coarsest subsampling, 4


def _chroma(name: str) -> tuple[int, int]:
    """Return colour samples across and down a square of `_SIDE` pixels."""
    each = _format(name)
    if _is_grey(each) or each.is_rgb:
        return _SIDE, _SIDE
    return each.chroma_width(_SIDE), each.chroma_height(_SIDE)


def _is_grey(each: VideoFormat) -> bool:
    return sum(not component.is_alpha for component in each.components) == 1


@functools.cache
def _format(name: str) -> VideoFormat:
    each = VideoFormat(name)
    return VideoFormat(_PALETTE_HOLDS) if each.has_palette else each
