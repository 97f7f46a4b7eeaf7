"""A database that goes down under a farm, a disk that is full, a Redis that is away for a minute."""

from __future__ import annotations

import random
import sqlite3
import sys

import pytest

from tests.faults.catalogue import AWAY_S, Fault, take_redis_down
from tests.faults.default_terms import default_scene
from tests.faults.outages import CannotMount, fill_disk, postgres_scene, small_disk_scene, stop_database
from tests.faults.recovery import suffer
from tests.faults.scene import Scene

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

#: Longer than any lease, lock or visibility timeout of a farm with default settings, in seconds.
MINUTE_S = 60.0


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory):
    with postgres_scene(tmp_path_factory.mktemp("postgres")) as found:
        yield found


@pytest.mark.needs_postgres
@pytest.mark.parametrize("away_s", [0.0, AWAY_S], ids=["restarted", "down"])
def test_the_database_goes_down(on_postgres, clip, tmp_path, away_s: float):
    """PostgreSQL is stopped while chunks are rendered, and started again at once, or later."""
    scene, server = on_postgres
    fault = Fault("database down", stop_database(server, away_s))
    suffer(scene, fault, clip, tmp_path / "out.mov", random.Random(1))


@pytest.mark.parametrize("full", ["home", "output"])
def test_a_disk_is_full(clip, tmp_path, full: str):
    """The job pauses, in the spool or in the output, and says why; with room it goes on by itself."""
    try:
        with small_disk_scene(tmp_path, full=full) as (scene, folder, disk):
            fault = Fault("disk full", fill_disk(disk))
            suffer(scene, fault, clip, folder / "out.mov", random.Random(1))
    except CannotMount as error:
        pytest.skip(str(error))


@pytest.mark.soak
def test_redis_is_down_for_a_minute(clip, tmp_path):
    """With default settings; nothing is counted against any chunk."""

    def act(scene: Scene, job: str, randomness: random.Random) -> None:
        take_redis_down(scene, job, randomness, MINUTE_S)

    with default_scene(tmp_path / "farm") as scene:
        fault = Fault("Redis down for a minute", act)
        outcome = suffer(scene, fault, clip, tmp_path / "out.mov", random.Random(1))
        sys.stdout.write(f"{outcome}\n")
        with sqlite3.connect(scene.farm.home / "farm.db") as database:
            (failures,) = database.execute("SELECT sum(failures) FROM chunk").fetchone()
        database.close()
    assert failures == 0
