"""The reconciler is killed before each of its effects, and inside its largest; the next one goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.judge import frame_md5s
from farm.requests import JobRequest
from farm.states import JobState
from farm.submit import submit
from tests.faults.doomed import Doom, farm_at, reconcile
from tests.faults.verdict import frames_of, make_clip
from tests.services import running_redis

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

#: A reconciler that is not the first dies after so many effects. Jobs whose first one dies after 0, 1, 2, …
#: effects of so many have every gap between two effects in one of them.
STRIDE = 12

#: How long anything may take here, in seconds, on the slowest machine.
PATIENCE_S = 60.0

SPARED = Doom()

#: Each process is forked from one that has imported everything already, and has no threads.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.faults.doomed"])


@dataclass(frozen=True)
class Rig:
    """A Redis, a worker, and a farm without a reconciler."""

    home: Path
    redis_url: str

    def submit(self, clip: Path, output: Path) -> str:
        request = JobRequest(
            input=str(clip), output=str(output), engine="passthrough", lossless=True, chunk_seconds=1.0
        )
        return submit(farm_at(self.home, self.redis_url), request)

    def start(self, job: str, doom: Doom = SPARED) -> multiprocessing.process.BaseProcess:
        """Start a reconciler."""
        process = PROCESSES.Process(target=reconcile, args=(self.home, self.redis_url, job, doom))
        process.start()
        return process

    def run(self, job: str, doom: Doom = SPARED) -> int:
        """Let a reconciler live until it has nothing to do, or dies; return its exit status."""
        process = self.start(job, doom)
        process.join(PATIENCE_S)
        assert process.exitcode is not None
        return process.exitcode

    def assert_unharmed(self, job: str, clip: Path, output: Path) -> None:
        """Require what must hold after any fault."""
        farm = farm_at(self.home, self.redis_url)
        found = farm.store.job(job)
        assert (found.state, found.error_message) == (JobState.DONE, None)
        assert frame_md5s(output) == frames_of(clip)
        assert [path.name for path in output.parent.iterdir() if job in path.name] == []
        assert not farm.config.job_directory(job).exists()
        assert farm.broker.segments.used_bytes() == 0
        with farm.broker.segments._redis as redis:
            assert [key for key in redis.keys("*") if job.encode() in key and b":celery:" not in key] == []


@pytest.fixture(scope="module")
def rig(tmp_path_factory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("reconciler")
    with running_redis() as server:
        options = ("--name", "w1", "--warm", "passthrough", "--gpus", "none")
        environment = {**os.environ, "FARM_REDIS_URL": server.url, "FARM_PART_BYTES": "262144"}
        environment |= {"FARM_LEASE_TTL_S": "2", "FARM_HEARTBEAT_S": "0.5"}
        with (folder / "worker.log").open("w") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "workers", *options], env=environment, stdout=log, stderr=log
            )
        try:
            wait_for_worker(farm_at(folder, server.url).broker.heartbeats)
            yield Rig(folder, server.url)
        finally:
            worker.terminate()
            worker.wait(PATIENCE_S)


def wait_for_worker(heartbeats) -> None:
    end = time.monotonic() + PATIENCE_S
    while not any(beat.state == "ready" for beat in heartbeats.live()):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """Three chunks, of some parts each."""
    return make_clip(tmp_path_factory.mktemp("small") / "clip.mp4", seconds=3)


@pytest.mark.parametrize("first", range(STRIDE))
def test_killed_before_each_of_its_effects(rig, small, tmp_path, first: int):
    """Kill -9 before a commit, a command to Redis, or a change of a file: each in turn, again and again."""
    output = tmp_path / "out.mov"
    job = rig.submit(small, output)
    deaths, effects = 0, first
    while (status := rig.run(job, Doom(num_effects=effects))) != 0:
        assert status == -signal.SIGKILL
        deaths, effects = deaths + 1, STRIDE
    sys.stdout.write(f"{deaths} deaths\n")
    assert deaths > 3
    rig.assert_unharmed(job, small, output)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_killed_inside_a_write_of_the_output(rig, small, tmp_path, share: float):
    """The kernel kills it at a byte of the output: nothing stands at its name, then all of it does."""
    whole = tmp_path / "whole.mov"
    assert rig.run(rig.submit(small, whole)) == 0
    output = tmp_path / "out.mov"
    job = rig.submit(small, output)
    doom = Doom(output_bytes=int(share * whole.stat().st_size))
    assert rig.run(job, doom) == -signal.SIGXFSZ
    assert not output.exists()
    assert rig.run(job) == 0
    rig.assert_unharmed(job, small, output)
    assert output.read_bytes() == whole.read_bytes()


def test_two_never_write_one_output(rig, small, tmp_path):
    """One stalls inside the output until another has finished the job; then it wakes, and harms nothing."""
    output = tmp_path / "out.mov"
    job = rig.submit(small, output)
    sleeper = rig.start(job, Doom(stalls=True))
    wait_until_stopped(sleeper.pid)
    assert rig.run(job) == 0
    before = output.read_bytes()
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.join(PATIENCE_S)
    assert sleeper.exitcode == 0
    assert output.read_bytes() == before
    rig.assert_unharmed(job, small, output)


def wait_until_stopped(pid: int) -> None:
    """Wait until a process has been stopped by a signal."""
    end = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < end
        time.sleep(0.01)
