"""The reconciler is killed while the ffmpeg program encodes an output as a whole; the next one goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bench.judge import frame_md5s, frame_times
from tests.faults.processes import children_of, command_of, is_running, kill, written_bytes
from tests.faults.scene import Scene
from tests.faults.verdict import assert_unharmed, make_clip

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


def encoder_of(scene: Scene, job: str, tasks: int) -> int:
    """Freeze the program in the middle of an output, and return its process id."""
    while True:
        for pid in children_of(tasks):
            if "pipe:0" in command_of(pid) and written_bytes(pid) > 0:
                os.kill(pid, signal.SIGSTOP)
                return pid
        scene.glance(job)


def test_killed_during_the_second_encode(scene, tmp_path: Path):
    """The program does not outlive it; no chunk is rendered again; both outputs have the input's frames."""
    clip = make_clip(tmp_path / "clip.mp4", seconds=4)
    output, other = tmp_path / "out.mov", tmp_path / "other.mp4"
    presets = {output: "hevc-lossless", other: "h264"}
    wanted = [{"path": str(path), "preset": preset} for path, preset in presets.items()]
    job = scene.submit(clip, output, chunk_seconds=1.0, lossless=False, encoder_preset="ultrafast", to=wanted)
    tasks = scene.process("tasks")
    encoder = encoder_of(scene, job, tasks)
    attempts = scene.view(job)["attempts"]
    kill(tasks)
    assert not output.exists()
    assert not other.exists()
    os.kill(encoder, signal.SIGCONT)
    scene.wait("the program ends", lambda: not is_running(encoder))
    view = assert_unharmed(scene, job, clip, output)
    assert view["attempts"] == attempts == view["chunks"]
    assert len(frame_md5s(other)) == len(frame_md5s(clip))
    assert frame_times(output) == frame_times(other) == frame_times(clip)
