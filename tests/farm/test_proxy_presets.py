"""`h264-1080p` and `h264-720p`: large inputs become smaller and keep their shape, small ones stay."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from bench.judge import frame_times
from farm.states import JobState
from tests.clips import make_clip, read_numbers

pytestmark = pytest.mark.needs_ffmpeg

NTSC = Fraction(30000, 1001)
NUM_FRAMES = 12


def look(path: Path) -> tuple[int, int, str | None, str, int]:
    """Return width, height, pixel aspect, pixel format and how many frames decode, as ffprobe says."""
    entries = "stream=width,height,sample_aspect_ratio,pix_fmt,nb_read_frames"
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", entries]
    answer = subprocess.run([*command, "-of", "json", str(path)], capture_output=True, check=True).stdout
    (found,) = json.loads(answer)["streams"]
    shape = (found["width"], found["height"], found.get("sample_aspect_ratio"))
    return (*shape, found["pix_fmt"], int(found["nb_read_frames"]))


def shown(path: Path) -> Fraction:
    """Return the shape in which players show a video: width by height, exactly."""
    width, height, aspect, *_ = look(path)
    return Fraction(width, height) * Fraction((aspect or "1:1").replace(":", "/"))


@pytest.mark.parametrize(
    ("preset", "sizes", "aspect"),
    [
        ("h264-1080p", ((2560, 1440), (1920, 1080)), "1:1"),
        ("h264-720p", ((1440, 1080), (960, 720)), "4:3"),  # HDV: pixels are wider than high, and stay so
        ("h264-720p", ((810, 1440), (720, 1280)), "1:1"),  # held upright: the shorter side counts
        ("h264-1080p", ((480, 360), (480, 360)), "4:3"),
        ("h264-720p", ((480, 360), (480, 360)), "4:3"),
        ("h264-720p", ((1366, 768), (1280, 720)), "1:1"),  # 1281 columns would be right
    ],
)
def test_a_proxy_is_at_most_so_large(simulation, tmp_path, preset, sizes, aspect):
    """Eight bits, the input's shape, every frame once, in order, at the input's own time."""
    size, becomes = sizes
    options = {"preset": "ultrafast", "x264-params": "sar=" + aspect.replace(":", "/")}
    clip = make_clip(
        tmp_path / "home-clip.mp4", fps=NTSC, num_frames=NUM_FRAMES, size=size, gop=3, options=options
    )
    assert look(clip)[:3] == (*size, aspect)
    output = tmp_path / "proxy.mp4"
    request = {"input": str(clip), "output": str(output), "engine": "passthrough", "chunk_seconds": 0.2}
    job = simulation.run(
        simulation.submit(**request, encoder_preset="ultrafast", to=[{"path": str(output), "preset": preset}])
    )
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert job.num_chunks > 1
    assert look(output)[:2] == becomes
    assert look(output)[3:] == ("yuv420p", NUM_FRAMES)
    assert shown(output) == shown(clip)
    assert frame_times(output) == frame_times(clip)
    assert read_numbers(output) == list(range(NUM_FRAMES))


def test_a_deep_input_becomes_a_proxy_of_eight_bits(simulation, tmp_path):
    """Players in browsers show no more; a proxy is for looking at."""
    clip = make_clip(
        tmp_path / "home-deep.mp4", num_frames=NUM_FRAMES, size=(1280, 960), pix_fmt="yuv420p10le"
    )
    output = tmp_path / "proxy.mov"
    job = simulation.run(
        simulation.submit(
            input=str(clip),
            output=str(output),
            engine="passthrough",
            encoder_preset="ultrafast",
            to=[{"path": str(output), "preset": "h264-720p"}],
        )
    )
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert look(output)[:2] == (960, 720)
    assert look(output)[3:] == ("yuv420p", NUM_FRAMES)
    assert frame_times(output) == frame_times(clip)
