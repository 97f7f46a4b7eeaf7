"""The ffmpeg program: where it is, and running it."""

from __future__ import annotations

import functools
import shutil
import subprocess
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


def ffmpeg_with(encoder: str) -> str:
    """Return an ffmpeg that has an encoder: distributions leave some out, and the wheel's has nearly all.

    Raises:
        ServiceMissing: there is none.
    """
    found = [program for program in (find_ffmpeg(), _carried()) if program is not None]
    for program in found:
        if encoder in _encoders(program):
            return program
    raise ServiceMissing(
        f"no ffmpeg here has the encoder {encoder}",
        hint=f"install an FFmpeg that has it (looked at: {', '.join(found)}), or choose another codec",
    )


def _carried() -> str | None:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


@functools.cache
def _encoders(program: str) -> frozenset[str]:
    listed = subprocess.run(
        [program, "-v", "error", "-encoders"], capture_output=True, text=True, check=False
    )
    lines = (line.split() for line in listed.stdout.splitlines())
    return frozenset(words[1] for words in lines if len(words) > 1)


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
