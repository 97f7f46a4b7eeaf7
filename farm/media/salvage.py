"""What is left out of a damaged video, in words for its user."""

from __future__ import annotations

import numpy as np

from farm.media.table import SKIPPED, Manifest

#: Times that are named one by one; further ones are counted.
_MOST_NAMED = 10


def skipped_note(manifest: Manifest) -> str | None:
    """Return which frames were skipped since they are damaged, by their times; None if none was."""
    times = np.sort(manifest.packet_pts[manifest.packet_flags & SKIPPED > 0])
    if len(times) == 0:
        return None
    named = [
        f"{float((int(time) - int(manifest.pts[0])) * manifest.time_base):.3f}"
        for time in times[:_MOST_NAMED]
    ]
    more = f" and {len(times) - _MOST_NAMED} more" if len(times) > _MOST_NAMED else ""
    return (
        f"{len(times)} damaged frames were skipped, at {', '.join(named)}{more} seconds after the first one"
    )
