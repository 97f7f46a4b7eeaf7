"""Clips that benchmarks make for themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_pattern(
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


def portrait_clip(path: Path, *, seconds: float, size: str = "1280x720", rate: str = "25") -> Path:
    """Make a clip in which a public-domain portrait moves, turns and zooms, with a tone."""
    from farm.demo_clip import make_clip

    width, height = (int(side) for side in size.split("x"))
    return make_clip(path, seconds=seconds, width=width, height=height, rate=int(rate))
