"""What workers would say of made-up people: a way for each, cut into any chunks."""

from __future__ import annotations

import numpy as np

from broker.people import ChunkSeen, Tracklet, packed

#: Somebody's boxes by frame. Frames must be consecutive.
Way = dict[int, tuple[int, int, int, int]]


def box_at(x: int, y: int = 50, side: int = 40) -> tuple[int, int, int, int]:
    return (x, y, x + side, y + side)


def look(seed: int) -> bytes:
    """Return a look that is nobody else's."""
    return np.random.default_rng(seed).integers(-127, 128, 256).astype(np.int8).tobytes()


def who(seed: int) -> bytes:
    """Return an embedding that is nobody else's."""
    return np.random.default_rng(seed).normal(size=512).astype("<f2").tobytes()


def seen(ways, start, end, *, cuts=(0,), looks=None, embeddings=None) -> ChunkSeen:
    """Return what a worker tells of frames [start, end), faces placed from the left as it places them."""
    tracklets = []
    for number, way in enumerate(ways):
        frames = [frame for frame in range(start, end) if frame in way]
        if not frames:
            continue
        goes_on = frames[0] == start and start - 1 in way and start not in cuts
        has_picture = any(frame % 12 == 0 or frame == min(way) for frame in frames)
        tracklets.append(
            Tracklet(
                start=frames[0],
                boxes=tuple(way[frame] for frame in frames),
                follows=_place(ways, number, start - 1) if goes_on else None,
                last=_place(ways, number, end - 1) if end - 1 in way else None,
                quality=0.5 + 0.001 * frames[0] if has_picture else 0.0,
                picture=packed(b"jpeg %d" % number) if has_picture else "",
                look=packed(looks[number] if looks else look(number)) if has_picture else "",
                embeddings=(packed(embeddings[number]),) if embeddings and has_picture else (),
            )
        )
    tracklets.sort(key=lambda each: (each.start, each.boxes[0]))
    return ChunkSeen(
        start=start,
        end=end,
        width=320,
        height=180,
        cuts=tuple(cut for cut in cuts if start <= cut < end),
        tracklets=tuple(tracklets),
    )


def _place(ways, number: int, frame: int) -> int:
    there = sorted((way[frame], each) for each, way in enumerate(ways) if frame in way)
    return [each for _, each in there].index(number)
