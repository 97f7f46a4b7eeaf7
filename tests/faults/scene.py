"""A running farm whose parts a test may kill, freeze, fill and empty, and whose jobs it then judges."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from redis import Redis

from bench import judge
from bench.farm_process import FARM, RunningFarm, running_farm
from broker.keys import Keys
from broker.queues import RENDER
from tests.faults.processes import children_of, command_of

#: Short terms, so that a test waits seconds where a farm in service waits a quarter of a minute.
QUICK = {
    "FARM_LEASE_TTL_S": "2",
    "FARM_HEARTBEAT_S": "0.5",
    "FARM_REOFFER_S": "1",
    "FARM_TICK_S": "0.2",
    "FARM_SOCKET_TIMEOUT_S": "2",
}

ENDED = frozenset({"done", "failed", "canceled"})

#: How often a scene is looked at, in seconds.
LOOK_S = 0.03

#: How long any job of these tests may take, faults included, in seconds.
JOB_S = 120.0

KEYS = Keys("farm")
RENDER_QUEUE = f"{KEYS.celery_prefix}{RENDER}"


class TooLate(Exception):
    """Raised when a job ends before it could be hurt."""


@dataclass
class Scene:
    """A farm, and hands on its processes, its Redis and its database."""

    farm: RunningFarm
    options: tuple[str, ...]
    hurt_at: float = 0.0  # on the monotonic clock; see `note`
    running_then: list[dict[str, Any]] = field(default_factory=list)  # chunks that were being rendered
    _restarted: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def submit(self, clip: Path, output: Path, *, chunk_seconds: float = 3.0) -> str:
        """Submit a lossless job that changes nothing, and return its id."""
        options = ("--engine", "passthrough", "--lossless", "--chunk-seconds", str(chunk_seconds))
        return self.farm.command("submit", str(clip), *options, "-o", str(output)).stdout.strip()

    def get(self, path: str) -> Any:
        """Ask the API, whichever process serves it now."""
        record = json.loads((self.farm.home / "farm.json").read_text())
        headers = {"Authorization": f"Bearer {record['token']}"}
        return httpx.get(record["url"] + path, headers=headers, timeout=20).raise_for_status().json()

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = JOB_S) -> Any:
        """Return what `condition` gives as soon as it is true. A farm that does not answer is no answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except (OSError, ValueError, httpx.HTTPError):
                pass
            time.sleep(LOOK_S)
        raise AssertionError(f"not in {seconds} s: {what}")

    def view(self, job: str) -> dict[str, Any]:
        """Return the job as a user sees it."""
        view: dict[str, Any] = self.get(f"/api/jobs/{job}")
        return view

    def live_view(self, job: str) -> dict[str, Any]:
        """Return the job's view while there is something to hurt.

        Raises:
            TooLate: it has ended.
        """
        view = self.view(job)
        if view["state"] in ENDED:
            raise TooLate(view)
        return view

    def wait_until_rendering(self, job: str) -> dict[str, Any]:
        """Return the job's view as soon as a chunk of it has some frames done and others to do."""

        def is_rendering() -> dict[str, Any] | None:
            view = self.live_view(job)
            return view if any(chunk["num_frames"] for chunk in view["running"]) else None

        view: dict[str, Any] = self.wait("a chunk renders", is_rendering)
        return view

    def note(self, job: str) -> None:
        """Note what goes on, a moment before it is hurt."""
        self.running_then = self.view(job)["running"]
        self.hurt_at = time.monotonic()

    def busy_worker(self, job: str) -> dict[str, Any]:
        """Return a worker that renders a chunk of the job now."""

        def find() -> dict[str, Any] | None:
            busy = [worker for worker in self.get("/api/workers") if worker["job"] == job]
            held = {chunk["worker"] for chunk in self.live_view(job)["running"] if chunk["num_frames"]}
            return next((worker for worker in busy if worker["worker"] in held), None)

        worker: dict[str, Any] = self.wait("a worker is busy with the job", find)
        return worker

    def catch(self, job: str) -> int:
        """Stop a process in the middle of a chunk, note what goes on, and return its id. Its fate is open."""

        def try_once() -> int | None:
            worker = self.busy_worker(job)
            os.kill(worker["pid"], signal.SIGSTOP)
            self.note(job)
            if any(chunk["worker"] == worker["worker"] for chunk in self.running_then):
                return int(worker["pid"])
            os.kill(worker["pid"], signal.SIGCONT)
            return None

        pid: int = self.wait("a worker is caught in a chunk", try_once)
        return pid

    def process(self, role: str) -> int:
        """Return the process id of a part of the farm: redis, tasks or api."""
        marks = {"redis": "redis-server", "tasks": "farm.tasks", "api": "uvicorn"}

        def find() -> int | None:
            return next((pid for pid in children_of(self.launcher()) if marks[role] in command_of(pid)), None)

        pid: int = self.wait(f"{role} runs", find)
        return pid

    def launcher(self) -> int:
        """Return the process id of `farm up`."""
        return int(json.loads((self.farm.home / "farm.json").read_text())["pid"])

    def redis(self) -> Redis:
        """Return a client of the farm's own Redis, to be closed."""
        return Redis.from_url(self.farm.redis_url(), socket_timeout=5)

    def start_again(self) -> None:
        """Run `farm up` once more in the same home, and wait until it answers."""
        with (self.farm.home / "up.log").open("a") as log:
            process = subprocess.Popen(
                [*FARM, "up", "--no-flower", *self.options],
                env=self.farm.environment,
                stdout=log,
                stderr=log,
            )
        self._restarted.append(process)
        self.wait("the farm is up again", lambda: self.launcher() == process.pid and self.get("/api/jobs"))

    def judge(self, job: str, clip: Path, output: Path) -> dict[str, Any]:
        """Wait for the job's end, and require what must hold after any fault; return its last view."""
        view: dict[str, Any] = self.wait(
            "the job ends", lambda: (view := self.view(job))["state"] in ENDED and view
        )
        assert view["state"] == "done", view
        assert judge.frame_md5s(output) == frames_of(clip)
        assert [path.name for path in output.parent.iterdir() if job in path.name] == []
        self.wait("nothing of the job is left in Redis", lambda: not self._keys_left(job), 20)
        self.wait("nothing of the job is left on disk", lambda: not self._directory(job).exists(), 20)
        self._check_rows(job)
        return view

    def used_bytes(self) -> int:
        """Return what the farm thinks lies in Redis; it must be what lies there."""
        with self.redis() as redis:
            return int(redis.get(KEYS.bytes) or 0)

    def close(self) -> None:
        """Stop what was started again."""
        for process in self._restarted:
            process.terminate()
            process.wait(60)

    def _keys_left(self, job: str) -> list[bytes]:
        with self.redis() as redis:
            return [key for key in redis.keys("*") if job.encode() in key]

    def _directory(self, job: str) -> Path:
        return self.farm.home / "jobs" / job

    def _check_rows(self, job: str) -> None:
        if "FARM_DATABASE_URL" in self.farm.environment:
            chunks = {chunk["state"] for chunk in self.get(f"/api/jobs/{job}/chunks")}
            assert chunks == {"rendered"}
            return
        with sqlite3.connect(self.farm.home / "farm.db") as database:
            states = database.execute("SELECT DISTINCT state FROM chunk WHERE job_id = ?", (job,)).fetchall()
        database.close()
        assert states == [("rendered",)]


@contextmanager
def quick_scene(home: Path, *options: str, **environment: str) -> Iterator[Scene]:
    """Run a farm with short terms and two workers."""
    options = ("--workers", "2", "--warm", "passthrough", *options)
    with running_farm(home, *options, timeout_s=120, **{**QUICK, **environment}) as farm:
        scene = Scene(farm, options)
        try:
            yield scene
        finally:
            scene.close()


@cache
def frames_of(clip: Path) -> list[str]:
    """Return the MD5 of every frame: passed through without loss, an undisturbed run gives just these."""
    return judge.frame_md5s(clip)


def make_clip(path: Path, *, seconds: float = 12, size: str = "1280x720") -> Path:
    """Make a clip that takes two workers some seconds to encode without loss."""
    source = f"testsrc2=size={size}:rate=30:duration={seconds}"
    coding = ("-preset", "ultrafast", "-g", "30")
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *coding, path], check=True)
    return path


def kill(pid: int) -> None:
    """End a process at once, as the kernel does when memory runs out."""
    os.kill(pid, signal.SIGKILL)
