"""Rules for workers, on real ones that really fail: an engine of these tests does it on chosen frames."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.engines import struck
from tests.faults.scene import quick_scene
from tests.faults.verdict import assert_unharmed, make_clip

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
        "FARM_STALL_S": "3",
        "FARM_WORKER_STUCK_S": "2",
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
    assert_unharmed(scene, job, short_clip, tmp_path / "out.mov")
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
    assert_unharmed(scene, job, short_clip, output)
    chunks = scene.get(f"/api/jobs/{job}/chunks")
    assert {chunk["worker"] for chunk in chunks} == {FIRST, SECOND} - {blocked["worker"]}


def reasons(scene, job: str) -> list[str]:
    """Return why attempts at the job's chunks ended, so far."""
    with closing(sqlite3.connect(scene.farm.home / "farm.db")) as database:
        rows = database.execute(
            "SELECT detail FROM event WHERE job_id = ? AND new_state = 'soft-failed'", (job,)
        )
        return [detail for (detail,) in rows]


def worker_log(scene, name: str) -> str:
    return (scene.farm.home / "logs" / f"worker-{name.rpartition('-')[2]}.log").read_text()


def pids(scene) -> dict[str, int]:
    return {worker["worker"]: worker["pid"] for worker in scene.get("/api/workers")}


def living(scene) -> dict[str, int]:
    """Wait until both workers live, and return their processes: a beat outlives its process for a while."""

    def find() -> dict[str, int] | None:
        found = pids(scene)
        is_whole = found.keys() == {FIRST, SECOND} and all(
            Path(f"/proc/{pid}").exists() for pid in found.values()
        )
        return found if is_whole else None

    found: dict[str, int] = scene.wait("both workers are up", find)
    return found


def test_a_chunk_that_runs_out_of_memory_goes_to_another_worker(scene, orders, short_clip, tmp_path):
    """The worker stays; after three such chunks it leaves with the reason, and is started afresh."""
    order(orders, ("memory", 0, 10**9, [SECOND]), ("slow", 0, 10**9, [FIRST]))
    before = living(scene)
    job = submit(scene, short_clip, tmp_path / "out.mov")
    scene.wait("three chunks have failed", lambda: len(reasons(scene, job)) == 3)
    order(orders)
    assert_unharmed(scene, job, short_clip, tmp_path / "out.mov")
    assert {reason.partition(". ")[0] for reason in reasons(scene, job)} == {
        "out-of-memory: OutOfMemoryError: CUDA out of memory"
    }
    scene.wait("the worker is back", lambda: pids(scene).get(SECOND, before[SECOND]) != before[SECOND])
    assert f"error: worker {SECOND} leaves the farm: memory ran out for 3 chunks" in worker_log(scene, SECOND)
    assert pids(scene)[FIRST] == before[FIRST]


def test_a_worker_that_loses_its_device_leaves_the_farm_and_says_why(scene, orders, short_clip, tmp_path):
    """Its chunk is handed back uncounted; its supervisor is told by the exit status, and starts it anew."""
    order(orders, ("device", 0, 10**9, [SECOND]), ("slow", 0, 10**9, [FIRST]))
    before = living(scene)
    job = submit(scene, short_clip, tmp_path / "out.mov")
    reason = scene.wait("the loss is reported", lambda: reasons(scene, job))[0]
    assert reason.startswith("device-lost: AcceleratorError: CUDA error: unspecified launch failure")
    order(orders)
    view = assert_unharmed(scene, job, short_clip, tmp_path / "out.mov")
    assert any(note.startswith(f"worker {SECOND} left the farm: device-lost") for note in view["notes"])
    said = (scene.farm.home / "up.log").read_text()
    assert "worker-2 died (status 69)" in said
    scene.wait("the worker is back", lambda: pids(scene).get(SECOND, before[SECOND]) != before[SECOND])


def test_a_chunk_that_kills_every_worker_is_given_up(scene, orders, short_clip, tmp_path):
    """Poison: after three deaths it fails, with its frames and the reason; a retry keeps the others."""
    order(orders, ("kill", 70, 71, None))
    job = submit(scene, short_clip, tmp_path / "out.mov")
    view = scene.wait("the job ends", lambda: (v := scene.view(job))["state"] == "failed" and v)
    chunks = scene.get(f"/api/jobs/{job}/chunks")
    (bad,) = [chunk for chunk in chunks if chunk["state"] == "failed"]
    assert bad["start"] <= 70 < bad["end"]
    assert {chunk["state"] for chunk in chunks if chunk is not bad} == {"rendered"}
    assert f"[{bad['start']}, {bad['end']})" in view["error"]["message"]
    assert "SIGKILL" in view["error"]["message"]
    order(orders)
    scene.farm.command("retry", job)
    assert_unharmed(scene, job, short_clip, tmp_path / "out.mov")
    after = scene.get(f"/api/jobs/{job}/chunks")
    assert [chunk["attempt"] for chunk in after if chunk["index"] != bad["index"]] == [
        chunk["attempt"] for chunk in chunks if chunk is not bad
    ]


def hang(scene, orders, clip: Path, output: Path, how: str) -> tuple[str, str]:
    """Let whoever gets the last second hang in it, once; return that worker, and the reason given."""
    struck(orders).unlink(missing_ok=True)
    order(orders, (how, 236, 237, None))
    before = living(scene)
    job = submit(scene, clip, output)
    stuck = scene.wait("somebody hangs", lambda: struck(orders).exists() and struck(orders).read_text())
    # On a loaded machine somebody else's lease may lapse, too: that says nothing of who hangs.
    reason = scene.wait(
        "somebody notices", lambda: next((text for text in reasons(scene, job) if stuck in text), "")
    )
    order(orders)
    assert_unharmed(scene, job, clip, output)
    scene.wait("the worker is of use again", lambda: pids(scene).get(stuck, before[stuck]) != before[stuck])
    assert {name: pid for name, pid in pids(scene).items() if name != stuck}.items() <= before.items()
    return stuck, reason


def test_a_render_that_hangs_is_noticed_by_its_frames(scene, orders, short_clip, tmp_path):
    """Its lease is renewed all the while. Another worker does the chunk, the stuck process ends itself."""
    stuck, reason = hang(scene, orders, short_clip, tmp_path / "out.mov", "hang")
    assert reason.startswith("stalled: no frame for ")
    assert "s after 0 of" not in reason, "it had begun"
    log = worker_log(scene, stuck)
    assert "error: a render has not stopped in 2 s" in log
    assert "in _hang" in log, "the stacks say where"


def test_a_render_that_hangs_with_the_interpreter_locked_is_ended(scene, orders, short_clip, tmp_path):
    """Nothing of that process can run, so its lease lapses; a watchdog outside the interpreter ends it."""
    stuck, reason = hang(scene, orders, short_clip, tmp_path / "out.mov", "seize")
    assert "its lease lapsed" in reason
    assert "in _seize" in worker_log(scene, stuck)
