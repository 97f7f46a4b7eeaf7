"""What must hold after any fault: the output is what an undisturbed run gives, and nothing is left over."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from bench import judge
from tests.faults.gate import KEYS
from tests.faults.scene import ENDED, Scene

#: How long the farm may take to clean up after a job, in seconds: a dead process's lock lapses first.
CLEAN_S = 30.0


def assert_unharmed(scene: Scene, job: str, clip: Path, output: Path) -> dict[str, Any]:
    """Wait for the job's end, and require what must hold; return its last view."""
    view: dict[str, Any] = scene.wait(
        "the job ends", lambda: (view := scene.view(job))["state"] in ENDED and view
    )
    assert view["state"] == "done", view
    assert judge.frame_md5s(output) == frames_of(clip)
    scene.wait("nothing of the job is left in Redis", lambda: not _keys_left(scene, job), CLEAN_S)
    scene.wait("nothing of the job is left on disk", lambda: not _directory(scene, job).exists(), CLEAN_S)
    assert [path.name for path in output.parent.iterdir() if job in path.name] == []
    assert {chunk["state"] for chunk in scene.get(f"/api/jobs/{job}/chunks")} == {"rendered"}
    return view


def used_bytes(scene: Scene) -> int:
    """Return what the farm thinks lies in Redis; it must be what lies there."""
    with scene.redis() as redis:
        return int(redis.get(KEYS.bytes) or 0)


@cache
def frames_of(clip: Path) -> list[str]:
    """Return the MD5 of every frame: passed through without loss, an undisturbed run gives just these."""
    return judge.frame_md5s(clip)


def make_clip(path: Path, *, seconds: float = 12, size: str = "320x180") -> Path:
    """Make a clip of many short chunks. Its noise makes each, without loss, several parts."""
    source = f"testsrc2=size={size}:rate=30:duration={seconds},noise=c0s=16:c0f=t"
    coding = ("-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p")
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *coding, path], check=True)
    return path


def _keys_left(scene: Scene, job: str) -> list[bytes]:
    with scene.redis() as redis:
        return [key for key in redis.keys("*") if job.encode() in key]


def _directory(scene: Scene, job: str) -> Path:
    return scene.farm.home / "jobs" / job
