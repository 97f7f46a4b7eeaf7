"""Rules for workers, on real ones that really fail: an engine of these tests does it on chosen frames."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.faults.scene import make_clip, quick_scene

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

FACE = Path(__file__).parents[2] / "farm" / "assets" / "eileen_collins.jpg"

#: What `farm up` calls its workers.
FIRST, SECOND = f"{socket.gethostname()}-1", f"{socket.gethostname()}-2"


@pytest.fixture(scope="module")
def orders(tmp_path_factory) -> Path:
    """The file that tells the engine what to do."""
    path = tmp_path_factory.mktemp("orders") / "orders.json"
    path.write_text("[]")
    return path


@pytest.fixture(scope="module")
def scene(tmp_path_factory, orders):
    """A farm of two workers that know the engine `trial`."""
    environment = {
        "TRIAL": str(orders),
        "FARM_WORKER_ENGINES": "trial=tests.faults.engines:Trial,weighty=tests.faults.engines:Weighty",
        "PYTHONPATH": str(Path.cwd()),
    }
    with quick_scene(tmp_path_factory.mktemp("rules"), **environment) as running:
        yield running


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory):
    """Eight seconds that take a worker one."""
    return make_clip(tmp_path_factory.mktemp("clips") / "short.mp4", seconds=8, size="160x96")


def order(orders: Path, *misfortunes: tuple[str, int, int, list[str] | None]) -> None:
    fresh = orders.with_suffix(".new")
    fresh.write_text(json.dumps(misfortunes))
    fresh.replace(orders)


def submit(scene, clip: Path, output: Path) -> str:
    # Only `passthrough` may go without a portrait; this engine does not look at it.
    options = ("--engine", "trial", "--source", str(FACE), "--lossless", "--chunk-seconds", "1")
    job: str = scene.farm.command("submit", str(clip), *options, "-o", str(output)).stdout.strip()
    return job


def test_a_worker_on_which_chunks_fail_is_blocked_for_the_job(scene, orders, short_clip, tmp_path):
    """After three of them; it is named in `farm status`, the other does the rest, `farm unblock` ends it."""
    order(orders, ("error", 0, 10**9, [SECOND]), ("slow", 0, 10**9, [FIRST]))
    job = submit(scene, short_clip, tmp_path / "out.mov")
    view = scene.wait("a worker is blocked", lambda: (v := scene.live_view(job))["blocked"] and v)
    (blocked,) = view["blocked"]
    assert (blocked["worker"], blocked["code"]) == (SECOND, "failures")
    assert "this frame cannot be rendered here" in blocked["reason"]
    assert f"blocked   {SECOND}: 3 chunks" in scene.farm.command("status", job).stdout
    assert "rendering (1 blocked)" in scene.farm.command("list").stdout
    assert {w["worker"]: w["blocked_for"] for w in scene.get("/api/workers")} == {FIRST: [], SECOND: [job]}
    order(orders)
    scene.judge(job, short_clip, tmp_path / "out.mov")
    assert {chunk["worker"] for chunk in scene.get(f"/api/jobs/{job}/chunks")} == {FIRST}


def test_a_worker_with_other_weights_is_refused_at_once(scene, orders, short_clip, tmp_path):
    """Its first chunk is no failure; the part that differs is named; the other worker renders all."""
    order(orders, ("slow", 0, 10**9, None))
    options = ("--engine", "weighty", "--source", str(FACE), "--lossless", "--chunk-seconds", "1")
    output = tmp_path / "out.mov"
    job = scene.farm.command("submit", str(short_clip), *options, "-o", str(output)).stdout.strip()
    view = scene.wait("a worker is blocked", lambda: (v := scene.live_view(job))["blocked"] and v)
    (blocked,) = view["blocked"]
    assert blocked["code"] == "other-build"
    assert blocked["reason"].count(" in the plan") == 1
    assert "model weighty-net: " in blocked["reason"]
    order(orders)
    scene.judge(job, short_clip, output)
    chunks = scene.get(f"/api/jobs/{job}/chunks")
    assert {chunk["worker"] for chunk in chunks} == {FIRST, SECOND} - {blocked["worker"]}
