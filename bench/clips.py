"""Clips that benchmarks make for themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import farm
from farm.demo import make_clip

ASSETS = Path(farm.__file__).parent / "assets"
SOURCE = ASSETS / "eileen_collins.jpg"
TARGET = ASSETS / "grace_hopper.jpg"


def moving_pattern(
    path: Path, *, seconds: float, size: str = "1280x720", rate: str = "30", gop: int = 60, audio: bool = True
) -> Path:
    """Make a moving test picture with a tone: H.264 with B-frames, AAC."""
    sound = (
        ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", "-c:a", "aac", "-shortest"]
        if audio
        else []
    )
    subprocess.run(
        [
            *("ffmpeg", "-y", "-v", "error", "-f", "lavfi"),
            *("-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"),
            *sound,
            *(
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
                "-pix_fmt",
                "yuv420p",
                "-g",
                str(gop),
                "-bf",
                "2",
                path,
            ),
        ],
        check=True,
    )
    return path


def portrait_clip(path: Path, *, seconds: float, size: str = "1280x720", rate: int = 25) -> Path:
    """Make a clip in which a public-domain portrait moves, turns and zooms, with a tone."""
    width, height = size.split("x")
    once = path.with_name(f"once-{path.name}")
    make_clip(TARGET, once)
    subprocess.run(
        [
            *("ffmpeg", "-y", "-v", "error", "-stream_loop", "-1", "-i", once, "-t", str(seconds)),
            *(
                "-vf",
                f"scale={width}:{height},fps={rate}",
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
                "-g",
                "40",
            ),
            *("-pix_fmt", "yuv420p", "-c:a", "aac", path),
        ],
        check=True,
    )
    once.unlink()
    return path
