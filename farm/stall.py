"""Chunks that make no progress though their workers hold on to them: noticed long before anybody gives up.

A render that hangs in native code keeps its lease: a thread beside it renews that. Only its frames tell.
"""

from __future__ import annotations

import statistics

from broker.leases import WAITING, Holder
from farm.bootstrap import Farm
from farm.models import Chunk

#: A frame may take this many times the median of its job. Scenes differ: a crowd takes some twenty times what
#: an empty street does.
MANY_TIMES = 50

#: Rendered chunks that the median is taken of: the last ones, which are most like those under way.
NUM_PACES = 31

#: With each attempt that fails, a chunk gets this many times as long: a frame that really takes so long is
#: rendered in the end.
GROWTH = 4

#: How long a chunk may wait for a frame of which nothing is known yet, in times of the floor.
UNKNOWN = 8


def stalled_s(farm: Farm, chunk: Chunk, holder: Holder) -> float | None:
    """Return how long a chunk has been without a new frame, if that is too long; None if all is well."""
    if holder.stage == WAITING or holder.still_s <= farm.config.stall_s:
        return None
    return holder.still_s if holder.still_s > _allowed_s(farm, chunk, holder) else None


def _allowed_s(farm: Farm, chunk: Chunk, holder: Holder) -> float:
    patience = float(GROWTH**chunk.failures)
    is_between = 0 < holder.num_frames < chunk.end - chunk.start
    if not is_between:
        # Before the first frame models are loaded and context is read; after the last, encoders are emptied.
        return farm.config.stall_start_s * patience
    paces = farm.store.recent_paces(chunk.job_id, NUM_PACES)
    # The next picture of a folder may have a hundred times the pixels of those before.
    is_known = bool(paces) and not farm.store.job(chunk.job_id).media.get("num_pictures")
    floor_s = farm.config.stall_s * (1 if is_known else UNKNOWN)
    return max(floor_s, MANY_TIMES * statistics.median(paces or [0.0])) * patience
