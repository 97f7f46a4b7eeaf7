"""When an output's frames are shown: at the input's own times, or those of a part of it, or evenly spaced."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from farm.media.exact import rounded
from farm.media.table import Manifest, Times


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """Times of an output's frames, in `time_base`. Arrays have shape (num_frames,)."""

    time_base: Fraction
    pts: Times  # growing; some may repeat
    durations: Times
    first: int = 0  # the input's frame that is shown first
    span_s: tuple[Fraction, Fraction] | None = None  # what is kept of the input's time; None: all of it

    @classmethod
    def of(cls, manifest: Manifest, start: int = 0, end: int | None = None) -> Timeline:
        """Return the times of the input's frames [start, end); `end` None: to the last.

        Where frames are left out, the first one is shown at 0, and `span_s` says what is kept.

        Raises:
            ValueError: no frame lies in that range.
        """
        end = manifest.num_frames if end is None else end
        if not 0 <= start < end <= manifest.num_frames:
            raise ValueError(f"no frames in [{start}, {end})")
        pts, durations = manifest.pts[start:end], manifest.durations[start:end]
        if (start, end) == (0, manifest.num_frames):
            return cls(time_base=manifest.time_base, pts=pts, durations=durations)
        begin, stop = int(pts[0]), int(pts[-1]) + int(durations[-1])
        return cls(
            time_base=manifest.time_base,
            pts=pts - begin,
            durations=durations,
            first=start,
            span_s=(begin * manifest.time_base, stop * manifest.time_base),
        )

    def at_rate(self, rate: Fraction) -> Timeline:
        """Return the times of the same span at `rate` frames a second: evenly spaced, the beginning kept.

        Frames are repeated or left out to fill it, none is made up.
        """
        step = 1 / rate
        begin = int(self.pts[0]) * self.time_base
        tick = step if begin == 0 else _common_tick(step, self.time_base)
        count = max(1, rounded(self.end - int(self.pts[0]), self.time_base, step))
        ticks = int(step / tick)
        return Timeline(
            time_base=tick,
            pts=int(begin / tick) + ticks * np.arange(count, dtype=np.int64),
            durations=np.full(count, ticks, np.int64),
            first=self.first,
            span_s=self.span_s,
        )

    def part(self, start: int, end: int) -> Timeline:
        """Return frames [start, end) of this timeline, at the times that they have in it."""
        return Timeline(
            time_base=self.time_base,
            pts=self.pts[start:end],
            durations=self.durations[start:end],
            first=self.first + start,
            span_s=self.span_s,
        )

    @property
    def num_frames(self) -> int:
        """Frames that are shown."""
        return len(self.pts)

    @property
    def end(self) -> int:
        """When the last frame's time is over."""
        return int(self.pts[-1]) + int(self.durations[-1])

    @property
    def is_constant_rate(self) -> bool:
        """Whether frames are equally far apart, to a tick (containers round)."""
        gaps = np.diff(self.pts)
        return len(gaps) == 0 or int(gaps.max() - gaps.min()) <= 1


def _common_tick(one: Fraction, other: Fraction) -> Fraction:
    """Return the longest time of which both are whole multiples."""
    denominator = one.denominator * other.denominator
    numerator = math.gcd(one.numerator * other.denominator, other.numerator * one.denominator)
    return Fraction(numerator, denominator)
