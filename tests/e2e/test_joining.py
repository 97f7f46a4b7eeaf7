"""Killing, freezing, canceling and joining workers, on real processes; tests/faults does it to everything."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from bench import judge
from bench.farm_process import running_farm

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


@pytest.fixture(scope="module")
def own_farm(tmp_path_factory):
    """A farm whose processes a test may kill; leases are short, so that tests are."""
    home = tmp_path_factory.mktemp("own")
    with running_farm(
        home, "--workers", "2", FARM_LEASE_TTL_S="4", FARM_HEARTBEAT_S="1", timeout_s=120
    ) as running:
        yield running


@pytest.fixture(scope="module")
def slow_clip(tmp_path_factory):
    """A clip that takes two workers some seconds to encode."""
    path = tmp_path_factory.mktemp("clips") / "slow.mp4"
    source = "testsrc2=size=1280x720:rate=30:duration=16"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-preset", "ultrafast", "-g", "30", path],
        check=True,
    )
    return path


class Api:
    """The farm's API, as a client sees it."""

    def __init__(self, farm) -> None:
        record = json.loads((farm.home / "farm.json").read_text())
        self._client = httpx.Client(
            base_url=record["url"], headers={"Authorization": f"Bearer {record['token']}"}
        )

    def get(self, path: str):
        return self._client.get(path).raise_for_status().json()

    def post(self, path: str) -> None:
        self._client.post(path).raise_for_status()

    def close(self) -> None:
        self._client.close()

    def wait_for(self, job: str, condition, seconds: float = 120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            view = self.get(f"/api/jobs/{job}")
            if condition(view):
                return view
            time.sleep(0.05)
        raise AssertionError(f"not in {seconds} s: {view}")


@pytest.fixture
def api(own_farm):
    api = Api(own_farm)
    yield api
    api.close()


def submit(farm, clip, output) -> str:
    arguments = [
        "--engine",
        "passthrough",
        "--lossless",
        "--chunk-seconds",
        "2",
        "--overwrite",
        "-o",
        str(output),
    ]
    return farm.command("submit", str(clip), *arguments).stdout.strip()


def assert_exact(view, clip, output):
    assert view["state"] == "done", view
    assert judge.frame_md5s(output) == judge.frame_md5s(clip)


def busy_worker(api, job: str) -> dict:
    view = api.wait_for(job, lambda view: any(chunk["num_frames"] for chunk in view["running"]))
    name = view["running"][0]["worker"]
    (worker,) = [worker for worker in api.get("/api/workers") if worker["worker"] == name]
    return worker


def test_a_worker_killed_in_a_chunk(own_farm, api, slow_clip, tmp_path):
    """Kill -9 of the process that renders: its chunk runs again, the output is the same."""
    output = tmp_path / "out.mov"
    job = submit(own_farm, slow_clip, output)
    worker = busy_worker(api, job)
    os.kill(worker["pid"], signal.SIGKILL)
    view = api.wait_for(job, lambda view: view["state"] in {"done", "failed"}, 240)
    assert_exact(view, slow_clip, output)


def test_a_worker_that_stands_still_too_long(own_farm, api, slow_clip, tmp_path):
    """SIGSTOP past the lease: another attempt is made, and the sleeper's commit is refused."""
    output = tmp_path / "out.mov"
    job = submit(own_farm, slow_clip, output)
    worker = busy_worker(api, job)
    os.kill(worker["pid"], signal.SIGSTOP)
    try:
        api.wait_for(
            job, lambda view: view["attempts"] > view["chunks_done"] + 2 or view["state"] == "done", 120
        )
        time.sleep(5)
    finally:
        os.kill(worker["pid"], signal.SIGCONT)
    view = api.wait_for(job, lambda view: view["state"] in {"done", "failed"}, 240)
    assert_exact(view, slow_clip, output)


def test_cancel_frees_the_worker(own_farm, api, slow_clip, tmp_path):
    """Within two seconds no worker is busy with it, and nothing of it is left."""
    output = tmp_path / "out.mov"
    job = submit(own_farm, slow_clip, output)
    busy_worker(api, job)
    api.post(
        f"/api/jobs/{job}/cancel"
    )  # at once: a command takes as long to start as a fast machine to render
    began = time.monotonic()
    while any(worker["job"] == job for worker in api.get("/api/workers")):
        assert time.monotonic() - began < 10, "about 1 s when the machine is idle"
        time.sleep(0.05)
    assert api.get(f"/api/jobs/{job}")["state"] == "canceled"
    assert list(tmp_path.iterdir()) == []


def test_a_worker_joins_knowing_redis_alone(own_farm, api):
    """`farm worker` with FARM_REDIS_URL and nothing else of the farm."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(own_farm.home / "elsewhere"),
        "FARM_REDIS_URL": own_farm.redis_url(),
    }
    command = [
        sys.executable,
        "-m",
        "farm",
        "worker",
        "--gpus",
        "none",
        "--name",
        "newcomer",
        "--warm",
        "passthrough",
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while "newcomer" not in {worker["worker"] for worker in api.get("/api/workers")}:
            assert time.monotonic() < end
            time.sleep(0.1)
    finally:
        process.terminate()
        assert process.wait(30) == 0
