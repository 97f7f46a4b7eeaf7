"""Which tracks are one person. By who they are, where a recogniser told; else by how and where they look.

Without a recogniser only the obvious is joined: somebody who is hidden for a moment, and is back in the same
shot, in about the same place, looking the same. Two shots of one person are two people then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from farm.people.tracks import Track, unit

#: How long somebody may be hidden and still be joined by their looks, in frames: two seconds at 24 a second.
LONGEST_GAP = 48

#: Correlation of the looks before and after, each in its best picture, at least.
_LEAST_ALIKE = 0.7

#: How far somebody may have moved meanwhile, in widths of the face.
_FURTHEST = 3.0


def grouped(tracks: Sequence[Track], cuts: Sequence[int], similarity: float) -> list[list[Track]]:
    """Return the tracks of each person: whoever is seen in most frames first, then whoever is seen first."""
    if any(track.embedding.size for track in tracks):
        groups = by_identity(tracks, similarity)
    else:
        groups = by_looks(tracks, cuts)
    return sorted(groups, key=lambda group: (-_num_frames(group), group[0].number))


def by_looks(tracks: Sequence[Track], cuts: Sequence[int]) -> list[list[Track]]:
    """Join tracks that end with tracks that begin soon after in the same shot, the most alike first."""
    pairs = sorted(_pairs(tracks, sorted(cuts)), key=lambda pair: (-pair[0], pair[1], pair[2]))
    after: dict[int, int] = {}
    for _, one, two in pairs:
        if one not in after and two not in after.values():
            after[one] = two
    followers = set(after.values())
    return [_chain(tracks, first.number, after) for first in tracks if first.number not in followers]


def by_identity(tracks: Sequence[Track], similarity: float) -> list[list[Track]]:
    """Put every track, the longest first, to the person that it is most like; never to one in the same frame.

    A track that no recogniser could look at is a person of its own.
    """
    groups: list[list[Track]] = []
    sums: list[NDArray[np.float64]] = []
    for track in sorted(tracks, key=lambda track: (track.start - track.end, track.number)):
        best = _best(track, groups, sums, similarity)
        if best is None:
            groups.append([track])
            sums.append(track.embedding)
        else:
            groups[best].append(track)
            sums[best] = sums[best] + track.embedding
    return [sorted(group, key=lambda track: track.number) for group in groups]


def _best(
    track: Track, groups: list[list[Track]], sums: list[NDArray[np.float64]], similarity: float
) -> int | None:
    if not track.embedding.size:
        return None
    likeness = [float(unit(total) @ unit(track.embedding)) if total.size else -1.0 for total in sums]
    for place in sorted(range(len(groups)), key=lambda place: -likeness[place]):
        if likeness[place] < similarity:
            return None
        if not any(track.start < other.end and other.start < track.end for other in groups[place]):
            return place
    return None


def _pairs(tracks: Sequence[Track], cuts: list[int]) -> Iterator[tuple[float, int, int]]:
    """Yield how alike two tracks are that may be joined, and their numbers."""
    ends = sorted(tracks, key=lambda track: (track.end, track.number))
    ended = [track.end for track in ends]
    for later in tracks:
        low, high = bisect_right(ended, later.start - LONGEST_GAP - 1), bisect_right(ended, later.start)
        for earlier in ends[low:high]:
            is_cut = bisect_right(cuts, earlier.end - 1) != bisect_right(cuts, later.start)
            likeness = _alike(earlier.look, later.look)
            if not is_cut and likeness >= _LEAST_ALIKE and _distance(earlier, later) <= _FURTHEST:
                yield likeness, earlier.number, later.number


def _alike(one: NDArray[np.int8], two: NDArray[np.int8]) -> float:
    if not one.size or not two.size:
        return -1.0
    return float(unit(one.astype(np.float64)) @ unit(two.astype(np.float64)))


def _distance(earlier: Track, later: Track) -> float:
    """Return how far a face has moved between two tracks, in its own widths."""
    one, two = np.asarray(earlier.last_box, np.float64), np.asarray(later.first_box, np.float64)
    apart = np.linalg.norm((one[:2] + one[2:] - two[:2] - two[2:]) / 2)
    return float(apart / max(one[2] - one[0], two[2] - two[0], 1.0))


def _chain(tracks: Sequence[Track], first: int, after: dict[int, int]) -> list[Track]:
    chain = [tracks[first]]
    while chain[-1].number in after:
        chain.append(tracks[after[chain[-1].number]])
    return chain


def _num_frames(group: Sequence[Track]) -> int:
    return sum(track.end - track.start for track in group)
