"""How a job's input is read."""

from __future__ import annotations

from farm.requests.body import Body


class ReadingRequest(Body):
    """How the input is read."""

    salvage: bool = False
    """Render what is left of a damaged video, or folder; the notes name the frames or files left out."""
    deinterlace: bool = False
    """Make whole pictures of interlaced ones; by default they are kept as they are."""
