"""A real farm for the whole session: `farm up` with two workers, driven by the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.farm_process import running_farm


@pytest.fixture(scope="session")
def farm(tmp_path_factory):
    """Redis, API, reconciler and two workers as processes; stopped at the end of the session."""
    with running_farm(tmp_path_factory.mktemp("farm"), "--workers", "2", timeout_s=120) as running:
        yield running


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """Ten seconds of moving pattern: B-frames, GOPs that no chunk length divides, two tracks of sound."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30000/1001:duration=10"]
    sound = [
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:duration=10",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=880:duration=10",
    ]
    codecs = ["-c:v", "libx264", "-preset", "veryfast", "-g", "47", "-bf", "2", "-c:a", "aac"]
    subprocess.run([*make, *sound, "-map", "0", "-map", "1", "-map", "2", *codecs, path], check=True)
    return path


@pytest.fixture(scope="session")
def portrait_video(tmp_path_factory) -> Path:
    """Two seconds in which a public-domain portrait moves, turns and grows."""
    from bench.clips import portrait_clip

    return portrait_clip(tmp_path_factory.mktemp("clips") / "portrait.mp4", seconds=2, size="640x360")
