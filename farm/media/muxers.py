"""What FFmpeg's muxers must be told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

#: Packets are handed over in the order of their times, so FFmpeg need not wait for streams that are
#: silent for long (subtitles): by itself it would hold ten seconds of video back, gigabytes if lossless.
_INTERLEAVE_US = 1_000_000

#: A fragment a GOP, an index that waits for the first of each stream (so that edit lists are right), and
#: offsets within the fragment, as ISO/IEC 14496-12 has it for files that are streamed while they grow.
_FRAGMENTED = ("frag_keyframe", "empty_moov", "delay_moov", "default_base_moof")

#: FFmpeg doubles an MP4 video track's ticks a second until there are at least this many.
_LEAST_TICKS = 10_000

#: The movie's ticks a second are a signed 32-bit number there.
_MOST_TICKS = 2**31 - 1

#: Tags that iTunes' way of tagging MP4 files has a place for; more programs read it than the general way.
_ITUNES = {
    "title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright",
    "grouping", "lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords",
    "creation_time", "location",
}  # fmt: skip


def muxer_options(
    muxer: str,
    tags: Mapping[str, str],
    time_bases: Iterable[Fraction],
    *,
    is_coloured: bool = False,
    is_fragmented: bool = False,
) -> dict[str, str]:
    """Return options for an output whose streams have these time bases, the video's first.

    `is_coloured`: something is known of the video's range, matrix, primaries or transfer curve.

    MP4 and QuickTime: the index goes to the front, so that players can start early; all tags survive; and
    late beginnings of streams, which are told in ticks of the whole movie, are told exactly.
    """
    options = {"max_interleave_delta": str(_INTERLEAVE_US)}
    if muxer in {"mp4", "mov"}:
        is_plain = muxer == "mp4" and all(name.lower() in _ITUNES for name in tags)
        flags = list(_FRAGMENTED) if is_fragmented else ["faststart"]
        flags += ["use_metadata_tags"] * (not is_plain)
        # By itself, FFmpeg tells colours only where it knows all of them.
        flags += ["write_colr"] * is_coloured
        options["movflags"] = "+" + "+".join(flags)
        options["movie_timescale"] = str(_movie_ticks([_track_ticks(each) for each in time_bases]))
    return options


def _track_ticks(time_base: Fraction) -> int:
    ticks = time_base.denominator
    while ticks < _LEAST_TICKS:
        ticks *= 2
    return ticks


def _movie_ticks(tracks: list[int]) -> int:
    """Return the ticks a second in which every track's time can be told, or at least the first one's."""
    together = math.lcm(*tracks)
    return together if together <= _MOST_TICKS else tracks[0]
