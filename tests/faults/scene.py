"""A running farm whose parts a test may kill, freeze, fill and empty, and whose jobs it then judges."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from redis import Redis
from redis.exceptions import RedisError

from bench.farm_process import FARM, RunningFarm, running_farm
from broker.errors import BrokerError
from tests.faults.gate import Gate
from tests.faults.processes import children_of, command_of

#: Short terms, so that a test waits seconds where a farm in service waits a quarter of a minute.
QUICK = {
    "FARM_LEASE_TTL_S": "2",
    "FARM_HEARTBEAT_S": "0.5",
    "FARM_REOFFER_S": "1",
    "FARM_TICK_S": "0.2",
    "FARM_SOCKET_TIMEOUT_S": "2",
    # A part is some frames, and a chunk some parts: a worker meets the gate in the middle of its chunk.
    "FARM_PART_BYTES": "262144",
}

ENDED = frozenset({"done", "failed", "canceled"})

#: Workers of a quick scene.
NUM_WORKERS = 2

#: How often a scene is looked at, in seconds.
LOOK_S = 0.03

#: How often a new file is looked for, in seconds: it must be found before it is whole.
GLANCE_S = 0.001

#: A worker's progress is told once a second: who has not come to the gate in so many seconds is not coming.
GATE_S = 2.0

#: How long workers are let go that did not come, in seconds: some chunks are offered meanwhile.
LET_GO_S = 0.1

#: How long any job of these tests may take, faults included, in seconds.
JOB_S = 60.0


class TooLate(Exception):
    """Raised when a job ends before it could be hurt."""


@dataclass
class Scene:
    """A farm, and hands on its processes, its Redis and its database."""

    farm: RunningFarm
    options: tuple[str, ...]
    hurt_at: float = 0.0  # on the monotonic clock; see `note`
    running_then: list[dict[str, Any]] = field(default_factory=list)  # chunks that were being rendered
    caught: int = -1  # index of the chunk that the process last caught was rendering
    _outputs: dict[str, Path] = field(default_factory=dict)
    _restarted: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def submit(self, clip: Path, output: Path, *, chunk_seconds: float = 0.5, **options: Any) -> str:
        """Submit a lossless job that changes nothing, and return its id. `options`: the request's others."""
        job = {"input": str(clip), "output": str(output), "engine": "passthrough", "lossless": True}
        answer = self._ask("POST", "/api/jobs", json={**job, "chunk_seconds": chunk_seconds, **options})
        self._outputs[answer["job"]] = output
        return str(answer["job"])

    def get(self, path: str) -> Any:
        """Ask the API, whichever process serves it now."""
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        record = json.loads((self.farm.home / "farm.json").read_text())
        headers = {"Authorization": f"Bearer {record['token']}"}
        answer = httpx.request(method, record["url"] + path, headers=headers, timeout=20, **options)
        return answer.raise_for_status().json()

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = JOB_S) -> Any:
        """Return what `condition` gives as soon as it is true. A farm that does not answer is no answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except (OSError, ValueError, httpx.HTTPError, RedisError, BrokerError):
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

    def hold(self, *jobs: str, num_busy: int = NUM_WORKERS, num_queued: int = 0) -> str:
        """Stop workers in the middle of a chunk, on any machine, note what goes on, and return one's job.

        The window is filled (see `Gate`), so that no chunk can end. If too few workers are caught in a chunk,
        they are let go, and it is tried again: a job has many more chunks than they can render meanwhile.

        Args:
            jobs: one of them must have a chunk among those that are held.
            num_busy: how many workers at least must be held.
            num_queued: how many messages must wait beside those that the workers have.

        Raises:
            TooLate: all of the jobs have ended.
        """
        held: list[str] = []

        def is_held() -> bool:
            self._require_life(jobs)
            busy = [worker["job"] for worker in self.get("/api/workers") if worker["chunk"] is not None]
            held[:] = [job for job in jobs if job in busy and self._has_frames(job)]
            return bool(held) and len(busy) >= num_busy and self.gate.num_queued() >= num_queued

        def try_once() -> bool:
            self.gate.open()
            time.sleep(LET_GO_S)
            self.gate.close()
            return self.comes_true(is_held, GATE_S)

        self.wait("a chunk is rendered", lambda: self._require_life(jobs) or self._is_rendering(jobs))
        self.gate.close()
        if not self.comes_true(is_held, GATE_S):
            self.wait("workers are held", try_once)
        self.note(held[0])
        return held[0]

    def _require_life(self, jobs: Iterable[str]) -> None:
        if all(self.view(job)["state"] in ENDED for job in jobs):
            raise TooLate(jobs)

    def _is_rendering(self, jobs: Iterable[str]) -> bool:
        return any(self.view(job)["running"] for job in jobs)

    def _has_frames(self, job: str) -> bool:
        return any(chunk["num_frames"] for chunk in self.view(job)["running"])

    def comes_true(self, condition: Callable[[], Any], seconds: float) -> bool:
        """Say whether a condition comes true in a while."""
        end = time.monotonic() + seconds
        while not (found := bool(condition())) and time.monotonic() < end:
            time.sleep(LOOK_S)
        return found

    def note(self, job: str) -> None:
        """Note what goes on, a moment before it is hurt."""
        self.running_then = self.view(job)["running"]
        self.hurt_at = time.monotonic()

    def catch(self, job: str) -> int:
        """Freeze a process that renders a chunk of a held job, and return its id. Its fate is open."""
        chunk = next(chunk for chunk in self.running_then if chunk["num_frames"])
        workers = {worker["worker"]: int(worker["pid"]) for worker in self.get("/api/workers")}
        self.caught = chunk["index"]
        os.kill(pid := workers[chunk["worker"]], signal.SIGSTOP)
        return pid

    def glance(self, job: str) -> None:
        """Let a moment pass.

        Raises:
            TooLate: the job has ended.
        """
        if self.output_of(job).exists():
            raise TooLate(job)
        time.sleep(GLANCE_S)

    def output_of(self, job: str) -> Path:
        """Return where a job that was submitted here puts its output."""
        return self._outputs[job]

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

    @property
    def gate(self) -> Gate:
        """What holds the workers in the middle of their chunks."""
        return Gate(self.redis)

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

    def close(self) -> None:
        """Stop what was started again."""
        for process in self._restarted:
            process.terminate()
            process.wait(60)


@contextmanager
def quick_scene(home: Path, *options: str, **environment: str) -> Iterator[Scene]:
    """Run a farm with short terms and two workers."""
    options = ("--workers", str(NUM_WORKERS), "--warm", "passthrough", *options)
    with running_farm(home, *options, timeout_s=120, **{**QUICK, **environment}) as farm:
        scene = Scene(farm, options)
        try:
            yield scene
        finally:
            scene.close()
