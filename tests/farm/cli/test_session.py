"""The commands against real farms: one of their own, and one that is up."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import av
import httpx
import pytest

from farm.client import FarmClient
from tests.farm.clip import make_test_clip
from tests.farm.launcher.processes import is_alive, wait_until

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


def frame_times(path):
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


@contextmanager
def started(environment, *arguments):
    """A `farm` command that runs; killed at the end of the block if it still does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "farm", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def names_in(directory):
    return {path.name for path in Path(directory).iterdir()}


def line_with(stream, word):
    for line in stream:
        if word in line:
            return line
    raise AssertionError(f"{word!r} was never said")


def descendants(pid):
    """Return the ids of all processes below `pid`."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = dict(tuple(map(int, line.split())) for line in listing.stdout.splitlines())

    def is_below(other):
        while other in parents:
            other = parents[other]
            if other == pid:
                return True
        return False

    return [other for other in parents if is_below(other)]


def test_render_writes_every_frame_and_leaves_nothing_else(farm, clip, tmp_path, environment):
    output = tmp_path / "out.mp4"
    result = farm("render", clip, "--engine", "passthrough", "-o", output, "--chunk-seconds", "0.5", "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert ("done", 50, str(output)) == (told["state"], told["frames"], told["output"])
    assert told["chunks"] == told["attempts"] > 1
    assert frame_times(clip) == frame_times(output)
    assert names_in(tmp_path) == {"home", "tmp", "out.mp4"}
    assert names_in(environment["TMPDIR"]) == names_in(environment["FARM_HOME"]) == set()


def test_without_a_name_the_output_lies_beside_the_input_and_is_not_replaced(farm, clip, tmp_path):
    copy = shutil.copy(clip, tmp_path / "mine.mp4")
    arguments = ("render", copy, "--engine", "passthrough", "--workers", "2", "--window-bytes", 1 << 20)
    assert farm(*arguments).stdout == f"{tmp_path / 'mine-fused.mp4'}\n"
    again = farm(*arguments)
    assert again.returncode == 2
    assert "already there" in again.stderr


@pytest.mark.parametrize(("number", "more"), [(signal.SIGINT, ["--json"]), (signal.SIGTERM, [])])
def test_an_interrupted_render_leaves_nothing_and_says_so(environment, tmp_path, number, more):
    clip = make_test_clip(tmp_path / "long.mp4", seconds=60)
    arguments = (
        "render",
        clip,
        "--engine",
        "passthrough",
        "--encoder-preset",
        "veryslow",
        "-o",
        tmp_path / "out.mp4",
    )
    with started(environment, *arguments, *more) as process:
        line_with(process.stderr, "rendering")
        below = descendants(process.pid)
        assert len(below) > 3
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "canceled; nothing is left"
    if more:
        told = json.loads(out)
        assert (told["state"], told["error"]["code"], told["frames"]) == ("canceled", "interrupted", 1500)
    else:
        assert out == ""
    wait_until(lambda: not any(is_alive(pid) for pid in below))
    assert names_in(tmp_path) == {"home", "tmp", "long.mp4"}
    assert names_in(environment["TMPDIR"]) == set()


def test_a_render_that_is_interrupted_while_its_farm_starts_is_told_in_one_object_too(environment, clip):
    with started(environment, "render", clip, "--engine", "passthrough", "--json") as process:
        line_with(process.stderr, "started a farm")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    told = json.loads(out)
    assert (told["job"], told["state"], told["error"]["code"]) == (None, "canceled", "interrupted")
    assert err.splitlines()[-1] == "canceled; nothing is left"


def test_a_killed_render_leaves_nothing_either(environment, tmp_path):
    clip = make_test_clip(tmp_path / "long.mp4", seconds=60)
    arguments = (
        "render",
        clip,
        "--engine",
        "passthrough",
        "--encoder-preset",
        "veryslow",
        "-o",
        tmp_path / "out.mp4",
    )
    with started(environment, *arguments) as process:
        line_with(process.stderr, "rendering")
        below = descendants(process.pid)
        process.kill()
        process.communicate()
    wait_until(lambda: not any(is_alive(pid) for pid in below))
    wait_until(lambda: names_in(environment["TMPDIR"]) == set())
    assert names_in(tmp_path) == {"home", "tmp", "long.mp4"}


def test_a_portrait_without_a_face_is_bad_input(farm, clip, tmp_path):
    grey = tmp_path / "grey.png"
    frame = av.VideoFrame(64, 64, "rgb24")
    frame.to_image().save(grey)
    result = farm("render", clip, "--source", grey, "-o", tmp_path / "out.mp4")
    assert result.returncode == 2
    assert "no face" in result.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.fixture
def running_farm(environment):
    """A farm that is up, with Flower, on ports of its own."""
    own = {**environment, "FARM_API_PORT": "0", "FARM_FLOWER_PORT": "0"}
    with started(own, "up", "--gpus", "none", "--warm", "passthrough") as process:
        line_with(process.stderr, "stops it")
        yield process


@pytest.fixture
def record(running_farm, home):
    """What `farm up` wrote down about itself."""
    return json.loads((home / "farm.json").read_text())


def test_a_farm_that_is_up_takes_jobs_shows_them_and_goes_down(
    running_farm, farm, clip, tmp_path, environment
):
    below = descendants(running_farm.pid)
    output = tmp_path / "out.mp4"
    submitted = farm("submit", clip, "--engine", "passthrough", "-o", output)
    job = submitted.stdout.strip()
    assert farm("watch", job).stdout == f"{output}\n"
    assert json.loads(farm("status", job, "--json").stdout)["state"] == "done"
    assert "50 of 50 done" in farm("status", job).stdout
    (worker,) = json.loads(farm("status", "--json").stdout)["workers"]
    assert 2**20 < worker["memory_bytes"] <= worker["memory_peak_bytes"]
    assert worker["worker"] in farm("status").stdout
    assert job in farm("list").stdout
    assert [job] == [view["job"] for view in json.loads(farm("list", "--json").stdout)["jobs"]]
    # `render` takes the farm that is up, and a job's end cannot be changed.
    other = farm("render", clip, "--engine", "passthrough", "-o", tmp_path / "two.mp4")
    assert "started a farm" not in other.stderr
    assert other.stdout == f"{tmp_path / 'two.mp4'}\n"
    assert farm("cancel", job).returncode == 2
    assert farm("status", "nonesuch").returncode == 2
    second = farm("up", FARM_API_PORT="0")
    assert second.returncode == 2
    assert "already up" in second.stderr
    assert farm("down").returncode == 0
    _, err = running_farm.communicate(timeout=30)
    assert running_farm.returncode == 0
    assert "the farm is down" in err
    wait_until(lambda: not any(is_alive(pid) for pid in below))
    assert "farm.json" not in names_in(environment["FARM_HOME"])


def test_a_job_on_a_farm_that_is_up_can_be_canceled(running_farm, farm, tmp_path):
    clip = make_test_clip(tmp_path / "long.mp4", seconds=60)
    arguments = (
        "submit",
        clip,
        "--engine",
        "passthrough",
        "--encoder-preset",
        "veryslow",
        "-o",
        tmp_path / "out.mp4",
    )
    job = farm(*arguments).stdout.strip()
    assert "canceled" in farm("cancel", job).stdout
    watched = farm("watch")
    assert watched.returncode == 1
    assert "canceled" in watched.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("command", [["watch"], ["submit", "CLIP", "-o", "OUT", "--wait"]])
def test_who_stops_watching_is_told_that_the_job_goes_on(running_farm, farm, environment, tmp_path, command):
    clip = make_test_clip(tmp_path / "long.mp4", seconds=300)
    settings = ("--engine", "passthrough", "--encoder-preset", "veryslow")
    if command == ["watch"]:
        farm("submit", clip, *settings, "-o", tmp_path / "out.mp4")
        settings = ()
    paths = {"CLIP": clip, "OUT": tmp_path / "out.mp4"}
    given = [paths.get(argument, argument) for argument in command]
    with started(environment, *given, *settings, "--json") as process:
        line_with(process.stderr, "rendering")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    told = json.loads(out)
    job = told["job"]
    assert (told["state"], told["error"]["code"]) == ("rendering", "interrupted")
    assert f"job {job} goes on" in err
    assert f"`farm cancel {job}`" in told["error"]["hint"]
    # A fast machine may have ended it by now; nobody has stopped it.
    assert json.loads(farm("status", job, "--json").stdout)["state"] in {"rendering", "stitching", "done"}


def test_flower_asks_for_its_password_and_shows_the_chunks(running_farm, farm, record, clip, tmp_path):
    assert farm("submit", clip, "--engine", "passthrough", "-o", tmp_path / "out.mp4").returncode == 0

    def shows_a_chunk():
        path = "/api/tasks?taskname=workers.render_chunk"
        try:
            with httpx.Client(base_url=record["flower_url"], trust_env=False) as http:
                assert http.get(path).status_code == 401
                tasks = http.get(path, auth=("farm", record["flower_password"])).json()
        except httpx.TransportError:
            return False
        return any(task["state"] == "SUCCESS" for task in tasks.values())

    wait_until(shows_a_chunk)


def test_a_worker_joins_knowing_only_where_redis_is(running_farm, environment, record):
    own = {name: value for name, value in environment.items() if name != "FARM_HOME"}
    own["FARM_REDIS_URL"] = record["redis_url"]
    arguments = ("worker", "--gpus", "none", "--warm", "passthrough", "--name", "guest")
    with started(own, *arguments) as worker, FarmClient(record["url"], record["token"]) as client:
        wait_until(lambda: "guest" in {view.worker for view in client.workers()})
        worker.terminate()
        worker.communicate(timeout=40)
        wait_until(lambda: "guest" not in {view.worker for view in client.workers()})
