"""Which part of a video is rendered."""

from __future__ import annotations

from farm.requests.body import Body


class TrimRequest(Body):
    """Which part of the input is rendered: frames as `120f`, seconds, `HH:MM:SS.mmm`, or time code."""

    start: str | None = None
    """The first frame that is kept, or the time from which frames are; by default the beginning."""
    end: str | None = None
    """The first frame that is not kept any more; by default none."""
