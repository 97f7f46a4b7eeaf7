"""Fused faces of a stream of frames, their colours smoothed over a fixed number of neighbours."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from workers.face.align import Points
from workers.face.patch import Patch
from workers.face.tone import REACH, Tone, calming
from workers.frames import Frame
from workers.media.planes import Canvas

_SAME = 0.5  # of the distance between the eyes: how far a face's middle moves in a frame, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """A frame, and the patches that change it."""

    frame: Frame
    patches: list[Patch] = field(default_factory=list)
    begins_shot: bool = False


def calmed(stream: Iterable[Fused], *, ratio: float) -> Iterator[Frame]:
    """Yield every frame that is not context, its patches put, `ratio` of them.

    A patch's tone is smoothed over the frames up to `REACH` away, which must be in the stream as far as the
    video has them, and over none beyond a cut. A frame is yielded `REACH` frames after it came in.
    """
    window: deque[Fused] = deque()
    place = 0  # of the next frame to be yielded, in the window
    for fused in stream:
        window.append(fused)
        if len(window) - place > REACH:
            yield from _put(window, place, ratio)
            place += 1
        if place > REACH:
            window.popleft()
            place -= 1
    for rest in range(place, len(window)):
        yield from _put(window, rest, ratio)


def _put(window: deque[Fused], place: int, ratio: float) -> Iterator[Frame]:
    here = window[place]
    if here.frame.is_context:
        return
    canvas = Canvas(here.frame.picture)
    for patch in here.patches:
        patch.put(canvas, ratio=ratio, tone=_calming(window, place, patch))
    frame = here.frame
    yield Frame(
        picture=canvas.picture,
        index=frame.index,
        pts=frame.pts,
        num_faces=len(here.patches),
        faces=tuple(patch.landmarks for patch in here.patches),
        outlines=tuple(patch.outline for patch in here.patches),
    )


def _calming(window: deque[Fused], place: int, patch: Patch) -> Tone:
    tones = [patch.tone]
    earlier = later = patch
    for distance in range(1, REACH + 1):
        pair = [_next(window, place, -distance, earlier), _next(window, place, distance, later)]
        if pair[0] is None or pair[1] is None:
            break  # with one side only, the colours would lag or lead
        earlier, later = pair[0], pair[1]
        tones += [earlier.tone, later.tone]
    return calming(tones)


def _next(window: deque[Fused], place: int, offset: int, patch: Patch) -> Patch | None:
    """Return `patch` as it is in the frame `offset` away: the last step of a walk there."""
    there = place + offset
    if not 0 <= there < len(window) or window[there if offset > 0 else there + 1].begins_shot:
        return None
    apart = [(_distance(other.landmarks, patch.landmarks), other) for other in window[there].patches]
    nearest = min(apart, key=lambda pair: pair[0], default=None)
    return nearest[1] if nearest is not None and nearest[0] <= _SAME else None


def _distance(one: Points, two: Points) -> float:
    """Return how far two faces' middles lie apart, in distances between the second one's eyes."""
    eyes_px = float(np.linalg.norm(two[0] - two[1]))
    return float(np.linalg.norm(one.mean(axis=0) - two.mean(axis=0))) / max(eyes_px, 1e-6)
