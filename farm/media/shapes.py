"""Sizes and rates of outputs, as people write them, and what they come to for an input."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from farm.errors import BadInput

_SIZE = re.compile(r"(?:(\d{2,5})x)?(\d{2,5})p?")
_BITRATE = re.compile(r"(\d+(?:\.\d+)?)([kM]?)(?:bit/s|bps)?")
_FACTOR = {"": 1, "k": 1000, "M": 1_000_000}

#: Decimal numbers by which people call rates that are fractions: NTSC's, 1000/1001 of a whole number.
_NTSC = {
    Fraction(text): Fraction(whole * 1000, 1001)
    for text, whole in (
        ("23.976", 24),
        ("23.98", 24),
        ("29.97", 30),
        ("47.952", 48),
        ("59.94", 60),
        ("119.88", 120),
    )
}

_MOST_RATE = 480
_LEAST_BITRATE = 10_000

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """A size that is asked for: a height alone keeps the picture's shape."""

    width: int | None
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an output's frames are, where that is not what the input's are."""

    size: Size | None = None  # width and height in pixels, upright
    rate: Fraction | None = None  # frames a second
    depth: int | None = None  # bits a sample


AS_INPUT = Shape()


def parse_resize(text: str) -> Resize:
    """Read `1280x720`, or `720`, which is a height.

    Raises:
        BadInput: it is neither, or odd.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is no picture size", hint="write 1280x720, or 720 for the height alone")
    width, height = None if found[1] is None else int(found[1]), int(found[2])
    if height % 2 or (width or 0) % 2:
        raise BadInput(f"{text}: the sides must be even", hint="most encoders halve the colour's resolution")
    return Resize(width=width, height=height)


def parse_rate(text: str) -> Fraction:
    """Read `25`, `30000/1001`, or `29.97`, which means the latter.

    Raises:
        BadInput: it is no rate.
    """
    try:
        rate = Fraction(text.strip())
    except (ValueError, ZeroDivisionError) as error:
        raise BadInput(f"{text!r} is no frame rate", hint="write 25, 29.97 or 30000/1001") from error
    if not 0 < rate <= _MOST_RATE:
        raise BadInput(
            f"{text}: rates go up to {_MOST_RATE} frames a second", hint="write 25, 29.97 or 30000/1001"
        )
    return _NTSC.get(rate, rate)


def parse_bitrate(text: str) -> int:
    """Read `8M`, `800k` or a number of bits a second.

    Raises:
        BadInput: it is none of them, or hardly any.
    """
    found = _BITRATE.fullmatch(text.strip())
    bits = 0 if found is None else int(Fraction(found[1]) * _FACTOR[found[2]])
    if bits < _LEAST_BITRATE:
        raise BadInput(
            f"{text!r} is no bit rate for video", hint="write 8M for 8,000,000 bits a second, or 800k"
        )
    return bits


def resized(size: Size, wish: Resize) -> Size:
    """Return the size that a wish comes to; sides are even."""
    width, height = size
    return (wish.width or _even(Fraction(width * wish.height, height)), wish.height)


def limited(size: Size, shorter_side_px: int) -> Size | None:
    """Return a size of the same shape whose shorter side is at most so long; None: it is."""
    shorter = min(size)
    if shorter <= shorter_side_px:
        return None
    width, height = (_even(Fraction(side * shorter_side_px, shorter)) for side in size)
    return width, height


def within(size: Size, longer_side_px: int | None, *, even: bool = False) -> Size | None:
    """Return a size of the same shape whose longer side is at most so long; None: it is, or may be any.

    `even`: both sides are even numbers, as most encoders of video want them.
    """
    if longer_side_px is None or max(size) <= longer_side_px:
        return None
    width, height = (Fraction(side * longer_side_px, max(size)) for side in size)
    if even:
        return _even(width), _even(height)
    return max(1, round(width)), max(1, round(height))


def _even(side: Fraction) -> int:
    return max(2, 2 * round(side / 2))
