"""Steering a real farm from the command line: what stops, what is kept, and that the output stays exact."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter

import pytest

from bench import judge
from bench.farm_process import running_farm
from farm.client import FarmClient
from farm.launching.farm_file import FarmRecord

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

WORKERS = ("--workers", "2", "--gpus", "none", "--warm", "passthrough")


@pytest.fixture(scope="module")
def own_farm(tmp_path_factory):
    """A farm of two workers that no other test uses."""
    home = tmp_path_factory.mktemp("steered")
    with running_farm(home, *WORKERS, FARM_LEASE_TTL_S="4", FARM_HEARTBEAT_S="1", timeout_s=120) as running:
        yield running


@pytest.fixture(scope="module")
def slow_clip(tmp_path_factory):
    """Twelve seconds that take two workers some seconds to encode."""
    path = tmp_path_factory.mktemp("clips") / "slow.mp4"
    source = "testsrc2=size=1280x720:rate=30:duration=12"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-preset", "ultrafast", "-g", "30", path]
    subprocess.run(command, check=True)
    return path


def client_of(farm) -> FarmClient:
    record = FarmRecord.read(farm.home)
    return FarmClient(record.url, record.token)


@pytest.fixture
def client(own_farm):
    with client_of(own_farm) as client:
        yield client


def submit(farm, clip, output, *more: str) -> str:
    arguments = ["--engine", "passthrough", "--lossless", "--chunk-seconds", "1", "-o", str(output), *more]
    return farm.command("submit", str(clip), *arguments).stdout.strip()


def wait_for(client, job: str, condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view = client.job(job)
        if condition(view):
            return view
        time.sleep(0.05)
    raise AssertionError(f"not in {seconds} s: {view}")


def wait_until_done(client, job: str):
    view = wait_for(client, job, lambda view: view.state in {"done", "failed"}, 120)
    assert (view.state, view.error) == ("done", None)
    return view


def renders(farm, job: str) -> Counter:
    """How often each chunk of a job was taken from its worker, by its index."""
    with sqlite3.connect(farm.home / "farm.db") as database:
        query = "SELECT chunk_index FROM event WHERE job_id = ? AND new_state = 'rendered'"
        return Counter(index for (index,) in database.execute(query, (job,)))


def test_pause_frees_the_workers_and_resume_goes_on_from_the_chunks_done(
    own_farm, client, slow_clip, tmp_path
):
    output = tmp_path / "out.mov"
    job = submit(own_farm, slow_clip, output)
    wait_for(client, job, lambda view: view.chunks_done > 0 and view.running)
    assert "paused" in own_farm.command("pause", job).stdout
    began = time.monotonic()
    while any(worker.job == job for worker in client.workers()):
        assert time.monotonic() - began < 10, "about 1 s when the machine is idle"
        time.sleep(0.02)
    settled = wait_for(client, job, lambda view: not view.running)
    time.sleep(1)
    held = client.job(job)
    assert (held.state, held.pause.code, held.chunks_done) == ("paused", "asked", settled.chunks_done)
    assert "farm resume" in own_farm.command("status", job).stdout
    assert "has priority 8" in own_farm.command("priority", job, "8").stdout
    assert client.job(job).priority == 8
    own_farm.command("resume", job)
    wait_until_done(client, job)
    assert judge.frame_md5s(output) == judge.frame_md5s(slow_clip)
    assert set(renders(own_farm, job).values()) == {1}


def test_a_short_job_behind_a_long_one_has_a_worker_within_one_chunk_time(
    own_farm, client, slow_clip, clip, tmp_path
):
    long = submit(own_farm, slow_clip, tmp_path / "long.mov")
    wait_for(client, long, lambda view: view.chunks_done > 1)
    short = submit(own_farm, clip, tmp_path / "short.mov")
    before = client.job(long).chunks_done
    wait_for(client, short, lambda view: view.running or view.frames_done)
    # In chunks, not seconds: each of the two workers ends the one it has, and one that was already claimed.
    assert client.job(long).chunks_done - before <= 4
    own_farm.command("cancel", long, check=False)  # it may have ended by now, on a fast machine
    wait_until_done(client, short)


def test_check_estimates_and_delete_removes(own_farm, client, clip, tmp_path):
    """One job's life: checked, submitted, done, the measure of the next; deleted, its output kept."""
    output = tmp_path / "out.mov"
    arguments = ["submit", str(clip), "--engine", "portrait", "--lossless", "-o", str(output), "--check"]
    missing = own_farm.command(*arguments, check=False)
    assert missing.returncode == 2
    assert "needs a source portrait" in missing.stderr
    job = submit(own_farm, clip, output, "--priority", "3")
    assert wait_until_done(client, job).priority == 3
    again = tmp_path / "again.mov"
    arguments[arguments.index("portrait")] = "passthrough"
    arguments[arguments.index(str(output))] = str(again)
    checked = json.loads(own_farm.command(*arguments, "--json").stdout)
    assert (checked["ok"], checked["frames"], checked["workers"]) == (True, 300, 2)
    assert checked["measured_jobs"] >= 1
    assert checked["render_s"] > 0
    assert not again.exists()
    plan = own_farm.command("delete", job, "--dry-run").stdout
    assert "would delete" in plan
    assert client.job(job).state == "done"
    own_farm.command("delete", job)
    assert own_farm.command("status", job, check=False).returncode == 2
    assert output.exists()


def test_a_job_whose_output_is_in_the_way_is_retried(own_farm, client, slow_clip, tmp_path):
    """It failed when all was rendered; once the other file has gone, `farm retry` only stitches."""
    output = tmp_path / "out.mov"
    job = submit(own_farm, slow_clip, output)
    output.write_text("mine")
    failed = wait_for(client, job, lambda view: view.state == "failed")
    assert (failed.error.code, failed.can_retry) == ("output-refused", True)
    assert f"farm retry {job}" in own_farm.command("status", job).stdout
    output.unlink()
    own_farm.command("retry", job)
    wait_until_done(client, job)
    assert judge.frame_md5s(output) == judge.frame_md5s(slow_clip)
    assert set(renders(own_farm, job).values()) == {1}


def test_a_killed_farm_goes_on_when_it_is_up_again(slow_clip, tmp_path):
    """SIGKILL of everything in the middle of a job; `farm up` alone ends it, and renders no chunk twice."""
    home, output = tmp_path / "home", tmp_path / "out.mov"
    with running_farm(home, *WORKERS, timeout_s=120) as first:
        job = submit(first, slow_clip, output)
        with client_of(first) as client:
            wait_for(client, job, lambda view: view.chunks_done >= 3)
        os.kill(FarmRecord.read(home).pid, signal.SIGKILL)
    before = renders(first, job)
    with running_farm(home, *WORKERS, timeout_s=120) as second, client_of(second) as client:
        wait_until_done(client, job)
        after = renders(second, job)
    assert judge.frame_md5s(output) == judge.frame_md5s(slow_clip)
    assert len(before) >= 3
    assert set(after.values()) == {1}
