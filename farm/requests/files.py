"""Which files a job reads and writes."""

from __future__ import annotations

from pydantic import Field

from farm.requests.body import Body

#: Outputs are encoded one after the other; nobody needs so many.
MOST_OUTPUTS = 32


class OutputRequest(Body):
    """One more output of the same render."""

    path: str
    """Where it goes, absolute, on the farm's own machine."""
    preset: str | None = None
    """A named kind of output (`farm presets` lists them); by default as the job's options say."""


class FileRequest(Body):
    """Paths are absolute, on the farm's own machine."""

    input: str
    """The video, the picture, or the folder of pictures."""
    output: str
    """Where the finished video or picture goes: its extension says as what. Of a folder, another folder."""
    to: list[OutputRequest] | None = Field(default=None, max_length=MOST_OUTPUTS)
    """All outputs of the same render that have presets, and any others beside `output`."""
    source: str | None = None
    """The portrait whose face is fused in; swap networks also take a directory. `passthrough` needs none."""
    overwrite: bool = False
    """Replace the output if it is there."""
