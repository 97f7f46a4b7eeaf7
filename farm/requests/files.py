"""Which files a job reads and writes."""

from __future__ import annotations

from farm.requests.body import Body


class FileRequest(Body):
    """Paths are absolute, on the farm's own machine."""

    input: str
    """The video."""
    output: str
    """Where the finished video goes; its extension chooses the container."""
    source: str | None = None
    """The portrait whose face is fused in; swap networks also take a directory. `passthrough` needs none."""
    overwrite: bool = False
    """Replace the output if it is there."""
