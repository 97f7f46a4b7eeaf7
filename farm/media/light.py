"""HDR's static data: the display that a video was graded on, and how bright its frames get."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Json = dict[str, Any]

#: libavutil/mastering_display_metadata.h: ten native rationals of two 32-bit integers, then two flags; and
#: two unsigned integers.
_MASTERING, _LEVEL = struct.Struct("=22i"), struct.Struct("=2I")
_NUM_RATIONALS = 10

#: Units of SMPTE ST 2086 data as H.265's messages, and so x265's options, count them.
_CHROMATICITY, _LUMINANCE = 50_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mastering:
    """The mastering display's colour volume (SMPTE ST 2086)."""

    primaries: tuple[Fraction, ...]  # CIE 1931 x and y of red, green, blue
    white: tuple[Fraction, ...]  # x and y
    luminance: tuple[Fraction, ...]  # darkest and brightest, in cd/m²

    @property
    def numbers(self) -> tuple[Fraction, ...]:
        """All ten, in this order."""
        return (*self.primaries, *self.white, *self.luminance)

    @property
    def counted(self) -> list[int]:
        """All ten, in H.265's units."""
        units = [_CHROMATICITY] * 8 + [_LUMINANCE] * 2
        return [round(number * unit) for number, unit in zip(self.numbers, units, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """What a video says of its light; parts that it does not say are None."""

    mastering: Mastering | None = None
    level: tuple[int, int] | None = None  # MaxCLL and MaxFALL (CTA-861.3), in cd/m²

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return self.mastering is not None or self.level is not None

    @property
    def x265(self) -> str:
        """The same in x265's options, which count as H.265's messages do."""
        numbers = None if self.mastering is None else self.mastering.counted
        return self._options("master-display", "max-cll", numbers)

    @property
    def svt_av1(self) -> str:
        """The same in SVT-AV1's options, which take plain numbers."""
        numbers = (
            None if self.mastering is None else [f"{float(each):.5f}" for each in self.mastering.numbers]
        )
        return self._options("mastering-display", "content-light", numbers)

    def _options(self, display: str, level: str, numbers: Sequence[object] | None) -> str:
        parts = []
        if numbers is not None:
            rx, ry, gx, gy, bx, by, wx, wy, low, high = numbers
            parts.append(f"{display}=G({gx},{gy})B({bx},{by})R({rx},{ry})WP({wx},{wy})L({high},{low})")
        if self.level is not None:
            parts.append(f"{level}={self.level[0]},{self.level[1]}")
        return ":".join(parts)

    def to_json(self) -> Json:
        """Return a JSON object; fractions are written as "34000/50000"."""
        return {
            "mastering": None if self.mastering is None else [str(each) for each in self.mastering.numbers],
            "level": None if self.level is None else list(self.level),
        }

    @classmethod
    def from_json(cls, body: Json) -> Light:
        """Read `to_json`'s object."""
        numbers, level = body["mastering"], body["level"]
        return cls(
            mastering=None if numbers is None else _mastering([Fraction(number) for number in numbers]),
            level=None if level is None else (level[0], level[1]),
        )


#: What most videos say.
NO_LIGHT = Light()


def light_from(mastering: bytes | None, level: bytes | None) -> Light:
    """Return what FFmpeg's side data of a frame say."""
    found = None
    if mastering is not None and len(mastering) >= _MASTERING.size:
        *numbers, has_primaries, has_luminance = _MASTERING.unpack_from(mastering)
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        if has_primaries and has_luminance and all(bottom for _, bottom in pairs):
            found = _mastering([Fraction(top, bottom) for top, bottom in pairs])
    if level is None or len(level) < _LEVEL.size:
        return Light(mastering=found)
    brightest, average = _LEVEL.unpack_from(level)
    return Light(mastering=found, level=(brightest, average) if brightest or average else None)


def _mastering(numbers: list[Fraction]) -> Mastering:
    assert len(numbers) == _NUM_RATIONALS
    return Mastering(primaries=tuple(numbers[:6]), white=tuple(numbers[6:8]), luminance=tuple(numbers[8:]))
