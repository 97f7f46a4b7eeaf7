"""How a job's output is encoded."""

from __future__ import annotations

from pydantic import Field

from farm.codings import Codec, X264Preset
from farm.requests.body import Body


class EncodingRequest(Body):
    """How the output is encoded."""

    codec: Codec | None = None
    """The coding format; by default H.264, in .webm VP9."""
    encoder: str = "auto"
    """`auto`, `nvenc`, or an FFmpeg encoder's own name."""
    lossless: bool = False
    """No quality lost; without `codec`, in FFV1: for checking, frame for frame."""
    crf: int | None = Field(default=None, ge=0, le=63)
    """Constant quality on the encoder's own scale; lower is better and larger. By default transparent."""
    encoder_preset: X264Preset = "medium"
    """The encoder's speed, in x264's words; slower makes smaller files."""
    pix_fmt: str | None = None
    """An FFmpeg pixel format; by default the nearest to the input's."""
    bitrate: str | None = None
    """Bits a second instead of constant quality: `8M`, `800k`; encoded once, as a whole."""
    resize: str | None = None
    """Another picture size: `1280x720`, or `720` for the height alone."""
    fps: str | None = None
    """Another frame rate, for all outputs: `25`, `30000/1001`, `29.97`; frames are repeated or left out."""
    fragmented: bool = False
    """Write MP4 in fragments, that can be played while the file grows."""
    gop: int | None = Field(default=None, ge=1, le=1000)
    """Frames between keyframes, at most; by default two seconds."""
