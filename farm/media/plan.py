"""Where to cut: pure, from a manifest to contiguous chunks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from farm.media.table import Manifest

#: A chunk may be this much shorter or longer than asked for if that puts its border on a keyframe: then
#: its segment carries no packets twice.
SHORTEST = Fraction(1, 2)
LONGEST = Fraction(3, 2)

#: A rest shorter than this share of a chunk joins the last one: starting a chunk costs more than it.
TINY = Fraction(3, 10)

#: Where the lead-in alone nearly fills the limit (few keyframes), a chunk's own packets may still take
#: this share of it: shorter chunks would carry the same lead-in more often.
OWN_SHARE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlan:
    """One chunk: frames [start, end), seen together with frames [context_start, context_end)."""

    index: int
    start: int
    end: int
    context_start: int
    context_end: int
    first_packet: int  # packets are [first_packet, stop_packet), in decode order
    stop_packet: int
    num_bytes: int  # of those packets; the segment's framing adds little


def with_context(manifest: Manifest, index: int, start: int, end: int, *, radius: int) -> ChunkPlan:
    """Return the plan of frames [start, end) with `radius` frames of context, as far as there are any."""
    context_start = max(0, start - radius)
    context_end = min(manifest.num_frames, end + radius)
    first, stop = manifest.required_packets(context_start, context_end)
    return ChunkPlan(
        index=index,
        start=start,
        end=end,
        context_start=context_start,
        context_end=context_end,
        first_packet=first,
        stop_packet=stop,
        num_bytes=manifest.num_bytes(first, stop),
    )


def plan_chunks(
    manifest: Manifest,
    *,
    chunk_s: Fraction,
    max_bytes: int,
    radius: int = 0,
    frames: tuple[int, int] | None = None,
) -> list[ChunkPlan]:
    """Divide a video, or its frames [start, end) if `frames` says so, into chunks of about `chunk_s` seconds.

    Chunks cover all of them, in order, without gap or overlap; their context may lie outside. A border lies
    on the keyframe nearest to the wanted length, if one lies between half of it and one and a half; else
    inside the GOP. A chunk whose packets would exceed `max_bytes` is made shorter.

    Raises:
        ValueError: `chunk_s` or `max_bytes` is not positive.
    """
    if chunk_s <= 0 or max_bytes <= 0:
        raise ValueError("chunk_s and max_bytes must be positive")
    start, stop = frames or (0, manifest.num_frames)
    cutter = _Borders(manifest, chunk_s / manifest.time_base, max_bytes, stop)
    plans: list[ChunkPlan] = []
    while start < stop:
        end = cutter.after(start)
        plans.append(with_context(manifest, len(plans), start, end, radius=radius))
        start = end
    return plans


class _Borders:
    """Finds where the chunk that begins at a frame ends."""

    def __init__(self, manifest: Manifest, ticks: Fraction, max_bytes: int, stop: int) -> None:
        self._manifest = manifest
        self._ticks = ticks
        self._max_bytes = max_bytes
        self._stop = stop  # no chunk goes beyond this frame

    def after(self, start: int) -> int:
        """Return the end of the chunk that begins at `start`; later than `start`."""
        end = self._by_time(start)
        limit = self._limit(start, end)
        if limit >= end:
            return end
        return self._last_keyframe(start, limit) or limit

    def _by_time(self, start: int) -> int:
        wanted = self._at(start, Fraction(1))
        earliest, latest = self._at(start, SHORTEST), self._at(start, LONGEST)
        keyframe = self._nearest_keyframe(wanted, max(earliest, start + 1), latest)
        end = max(start + 1, wanted if keyframe is None else keyframe)
        return self._stop if self._is_tiny(end) else end

    def _at(self, start: int, share: Fraction) -> int:
        """Return the first frame that is not before `share` of a chunk after `start`."""
        time = int(self._manifest.pts[start]) + self._ticks * share
        return int(np.searchsorted(self._manifest.pts, -(-time.numerator // time.denominator)))

    def _nearest_keyframe(self, wanted: int, earliest: int, latest: int) -> int | None:
        keyframes = self._manifest.keyframes
        low, high = np.searchsorted(keyframes, [earliest, latest + 1])
        nearby = keyframes[low:high]
        return int(nearby[np.abs(nearby - wanted).argmin()]) if len(nearby) else None

    def _is_tiny(self, end: int) -> bool:
        if end >= self._stop:
            return True
        last = self._stop - 1
        stop = int(self._manifest.pts[last]) + int(self._manifest.durations[last])
        return stop - int(self._manifest.pts[end]) < self._ticks * TINY

    def _limit(self, start: int, end: int) -> int:
        """Return the largest end, up to `end`, that keeps the packets under the limit."""
        lead = self._num_bytes(start, start + 1)
        allowed = lead + max(self._max_bytes - lead, self._max_bytes // OWN_SHARE)
        if self._num_bytes(start, end) <= allowed:
            return end
        low, high = start + 1, end  # `low` fits (or is a single frame), `high` does not
        while high - low > 1:
            middle = (low + high) // 2
            if self._num_bytes(start, middle) <= allowed:
                low = middle
            else:
                high = middle
        rest = end - low
        # Two like halves rather than one long chunk and a sliver.
        return start + (end - start + 1) // 2 if rest < (low - start) * TINY else low

    def _last_keyframe(self, start: int, limit: int) -> int | None:
        """Return the last keyframe in the second half of [start, limit]."""
        keyframes = self._manifest.keyframes
        at = int(np.searchsorted(keyframes, limit, side="right")) - 1
        found = int(keyframes[at]) if at >= 0 else 0
        return found if found > start + (limit - start) // 2 else None

    def _num_bytes(self, start: int, end: int) -> int:
        return self._manifest.num_bytes(*self._manifest.required_packets(start, end))
