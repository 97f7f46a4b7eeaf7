"""`python -m workers`: what it says and how it ends, when there is nothing to do or nobody to ask."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from broker.config import BrokerConfig
from broker.connect import open_broker
from broker.heartbeats import WorkerBeat
from tests.faults.processes import children_of, is_running


def start(url: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "workers", "--gpus", "none", "--warm", "passthrough", *options]
    return subprocess.Popen(
        command,
        env={**os.environ, "FARM_REDIS_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def live(url: str) -> list[WorkerBeat]:
    return open_broker(BrokerConfig(redis_url=url)).heartbeats.live()


def wait_until_ready(url: str, worker: subprocess.Popen[str]) -> int:
    """Return the process that is ready to render."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert worker.poll() is None
        for beat in live(url):
            if beat.state == "ready":
                return beat.pid
        time.sleep(0.05)
    raise AssertionError("the worker is not ready")


def test_a_bad_address_is_one_line():
    """Exit status 2, the variable's name, and no traceback."""
    worker = start("http://elsewhere")
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == 2
    assert said.splitlines()[0].startswith("error: FARM_REDIS_URL")
    assert "Traceback" not in said


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_waiting_for_redis(number: signal.Signals, status: int):
    """It says what it waits for, without the password, never that it is ready, and ends quietly."""
    worker = start("redis://:secret@127.0.0.1:1/0")
    assert worker.stderr is not None
    said = ""
    while "waiting for Redis" not in said:
        said = worker.stderr.readline()
        assert said
    worker.send_signal(number)
    _, rest = worker.communicate(timeout=30)
    assert worker.returncode == status
    assert said == "waiting for Redis at 127.0.0.1:1/0\n"
    assert "secret" not in rest
    assert "ready" not in rest
    assert "Traceback" not in rest


@pytest.mark.needs_redis
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_with_a_goodbye(redis_url, number: signal.Signals, status: int):
    """SIGTERM is success, Ctrl-C is 130; either way no process and no heartbeat is left."""
    worker = start(redis_url)
    child = wait_until_ready(redis_url, worker)
    worker.send_signal(number)
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == status, said
    assert "Traceback" not in said
    assert live(redis_url) == []
    assert not is_running(child)


@pytest.mark.needs_redis
def test_what_it_started_dies_with_it(redis_url):
    """Kill -9 of the parent: the process that renders goes too."""
    worker = start(redis_url)
    child = wait_until_ready(redis_url, worker)
    others = children_of(worker.pid)
    assert child in others
    worker.kill()
    worker.communicate(timeout=30)
    end = time.monotonic() + 5
    while any(is_running(pid) for pid in others):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--gpu-memory-limit", "0"), "gpu_memory_limit: 0.0 is not at least 0.001"),
        (("--profile", "huge"), "one of auto, entry, mainstream, professional"),
        (("--settings", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(options: tuple[str, ...], message: str):
    worker = start("redis://127.0.0.1:1/0", *options)
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == 2
    assert message in said
    assert "hint: " in said


@pytest.mark.needs_redis
def test_a_small_memory_budget_is_kept_and_told(redis_url: str):
    """The plan that the engine settled for is in the worker's heartbeat."""
    worker = start(redis_url, "--warm", "portrait", "--gpu-memory-limit", "0.034")
    try:
        wait_until_ready(redis_url, worker)
        (beat,) = live(redis_url)
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=30)
    assert beat.engines == ("portrait",)
    assert "tiles of 256 px" in beat.plan
    assert "of 32.4 MiB; stepped down 3x" in beat.plan, "from four crops a pass to one, then to smaller tiles"
    assert "in memory: " in beat.plan and "of 32.4 MiB: mtcnn 1.9 MiB, fusion" in beat.plan
    assert beat.plan in said  # printed at start as well


@pytest.mark.needs_redis
def test_too_small_a_memory_budget_is_refused_with_the_number_that_would_do(redis_url: str):
    worker = start(redis_url, "--warm", "passthrough,portrait", "--gpu-memory-limit", "0.01")
    try:
        wait_until_ready(redis_url, worker)
        (beat,) = live(redis_url)
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=30)
    assert beat.engines == ("passthrough",)
    assert "engine portrait is not ready: a budget of 0.0100 GB is too small; what would do: 0.02" in said
