"""Exact times: fractions to and from JSON, and rescaling without floats."""

from __future__ import annotations

from fractions import Fraction


def text_or_none(value: Fraction | None) -> str | None:
    """Return a fraction as text, "30000/1001"."""
    return None if value is None else str(value)


def fraction_or_none(text: str | None) -> Fraction | None:
    """Read `text_or_none`."""
    return None if text is None else Fraction(text)


def rounded(time: int, old: Fraction, new: Fraction) -> int:
    """Rescale `time` from time base `old` to `new`, to the nearest tick; halves go away from zero.

    That is FFmpeg's default rounding (`AV_ROUND_NEAR_INF`), so the two never differ by a tick.
    """
    ratio = old / new
    ticks = (2 * abs(time) * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    return ticks if time >= 0 else -ticks
