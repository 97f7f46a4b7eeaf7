"""A short clip, made with ffmpeg."""

from __future__ import annotations

from pathlib import Path

import ffmpeg

from farm.ffmpeg_program import run_ffmpeg


def make_test_clip(path: Path, seconds: int = 2) -> Path:
    """Write some seconds of moving pattern with a tone, 160x120 at 25 frames a second."""
    picture = ffmpeg.input(f"testsrc=size=160x120:rate=25:duration={seconds}", f="lavfi")
    tone = ffmpeg.input(f"sine=frequency=440:duration={seconds}", f="lavfi")
    options = {"c:v": "libx264", "pix_fmt": "yuv420p", "g": 12, "c:a": "aac"}
    run_ffmpeg(ffmpeg.output(picture, tone, str(path), **options))
    return path
