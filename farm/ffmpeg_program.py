"""The ffmpeg program: where it is, and running it."""

from __future__ import annotations

import shutil
from typing import Any

import ffmpeg
import imageio_ffmpeg

from farm.errors import FfmpegFailed, ServiceMissing


def find_ffmpeg() -> str:
    """Return the `ffmpeg` on PATH, else the one that the imageio-ffmpeg wheel carries.

    Raises:
        ServiceMissing: there is neither.
    """
    program = shutil.which("ffmpeg")
    if program is not None:
        return program
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ServiceMissing(
            "no ffmpeg was found", hint="install FFmpeg, or `pip install imageio-ffmpeg`"
        ) from error


def run_ffmpeg(graph: Any) -> None:
    """Run an ffmpeg-python graph that ends in outputs; they are overwritten.

    Raises:
        FfmpegFailed: it gave up.
        ServiceMissing: there is no ffmpeg.
    """
    try:
        ffmpeg.run(graph, cmd=find_ffmpeg(), quiet=True, overwrite_output=True)
    except ffmpeg.Error as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        raise FfmpegFailed(f"ffmpeg: {lines[-1] if lines else 'it said nothing'}") from error
