"""Outputs that are pictures: a GIF of the whole, or one frame of it."""

from __future__ import annotations

from pathlib import Path

from broker.messages import EncodeSpec
from farm.media.presets import Kind
from farm.media.shapes import Shape
from farm.media.target import Target

#: Suffix of a still picture → FFmpeg's encoder, its format, and the encoder's options. Quantiser 2 is the
#: finest that mjpeg takes by itself.
_STILLS: dict[str, tuple[str, str, dict[str, str]]] = {
    ".jpg": ("mjpeg", "yuvj444p", {"q:v": "2"}),
    ".jpeg": ("mjpeg", "yuvj444p", {"q:v": "2"}),
    ".png": ("png", "rgb24", {}),
}


def choose_picture(output: Path, kind: Kind, shape: Shape) -> Target:
    """Decide how a GIF or a still is written; its suffix is one that its preset names."""
    if kind == "gif":
        container, spec = "gif", EncodeSpec(codec="gif", pix_fmt="pal8")
    else:
        codec, pix_fmt, options = _STILLS[output.suffix.lower()]
        container, spec = "image2", EncodeSpec(codec=codec, pix_fmt=pix_fmt, options=options)
    return Target(
        container=container,
        codec=spec.codec,
        reorder=0,
        encode=spec,
        path=str(output),
        kind=kind,
        size=shape.size,
        rate=shape.rate,
        is_continuous=True,
    )
