"""A database that goes down under a farm, a disk that is full, a Redis that is away for a minute."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.catalogue import take_redis_down
from tests.faults.default_terms import default_scene
from tests.faults.scene import Scene, quick_scene
from tests.faults.verdict import assert_unharmed
from tests.postgres import private_postgres

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

MIB = 2**20

#: How long the database is down, in seconds: longer than any lease of a quick scene.
DOWN_S = 4.0

#: Longer than any lease, lock or visibility timeout of a farm with default settings, in seconds.
MINUTE_S = 60.0

#: A pause and its end must be seen within so many seconds.
SEEN_S = 60.0


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory):
    """A farm on a PostgreSQL of its own, and that."""
    with private_postgres() as server:
        home = tmp_path_factory.mktemp("postgres")
        with quick_scene(home, FARM_DATABASE_URL=server.url) as scene:
            yield scene, server


@pytest.mark.needs_postgres
@pytest.mark.parametrize("away_s", [0.0, DOWN_S], ids=["restarted", "down"])
def test_the_database_goes_down(on_postgres, clip, tmp_path, away_s: float):
    """PostgreSQL is stopped while chunks are rendered, and started again later, or at once."""
    scene, server = on_postgres
    output = tmp_path / "out.mov"
    job = scene.submit(clip, output)
    scene.hold(job)
    server.stop()
    scene.gate.open()
    time.sleep(away_s)
    server.start()
    view = assert_unharmed(scene, job, clip, output)
    assert view["attempts"] >= view["chunks"]


@pytest.mark.soak
def test_redis_is_down_for_a_minute(clip, tmp_path):
    """With default settings; nothing is counted against any chunk."""
    with default_scene(tmp_path / "farm") as scene:
        output = tmp_path / "out.mov"
        job = scene.submit(clip, output)
        scene.hold(job)
        take_redis_down(scene, job, random.Random(), MINUTE_S)
        back = time.monotonic()
        scene.wait("the gate opens", lambda: scene.gate.open() or True)
        assert_unharmed(scene, job, clip, output)
        sys.stdout.write(f"done {time.monotonic() - back:.1f} s after Redis was back\n")
        assert failures(scene, job) == 0


@pytest.mark.parametrize("full", ["home", "output"])
def test_a_disk_is_full(clip, tmp_path, full: str):
    """The job pauses, in the spool or in the output, and says why; with room it goes on by itself."""
    with small_disk(tmp_path / "disk", 192 * MIB) as disk:
        places = {"home": tmp_path / "home", "output": tmp_path / "out"} | {full: disk / full}
        places["output"].mkdir()
        with quick_scene(places["home"]) as scene:
            output = places["output"] / "out.mov"
            job = scene.submit(clip, output)
            scene.hold(job)
            fill(disk)
            scene.gate.open()
            scene.wait("it pauses", lambda: scene.view(job)["state"] == "paused", SEEN_S)
            pause = scene.view(job)["pause"]
            assert "full" in pause["reason"]
            assert str(disk) in pause["reason"]
            (disk / "ballast").unlink()
            scene.wait("it goes on", lambda: scene.view(job)["state"] != "paused", SEEN_S)
            assert_unharmed(scene, job, clip, output)


def failures(scene: Scene, job: str) -> int:
    """Return how many failures were counted against the job's chunks."""
    with sqlite3.connect(scene.farm.home / "farm.db") as database:
        (total,) = database.execute("SELECT sum(failures) FROM chunk WHERE job_id = ?", (job,)).fetchone()
    database.close()
    return int(total)


def fill(place: Path) -> None:
    """Leave no block free."""
    with (place / "ballast").open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@contextmanager
def small_disk(place: Path, size_bytes: int):
    """Mount a file system of a chosen size. Where none can be, the test cannot be run, and says so."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", place]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
