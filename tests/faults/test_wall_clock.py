"""The clock of a machine is set while its farm renders: all of its processes see another hour at once."""

from __future__ import annotations

import random
import sqlite3
import sys

import pytest

from tests.faults.recovery import suffer
from tests.faults.wall_clock import CLOCK_FAULTS, KILL_AND_BACK, KILL_LOCK_AND_BACK, clock_fault, clock_scene

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg, pytest.mark.needs_compiler]


@pytest.fixture(scope="module")
def on_clock(tmp_path_factory):
    with clock_scene(tmp_path_factory.mktemp("clock")) as found:
        yield found


@pytest.mark.parametrize(
    "name",
    [
        # Takes a new reconciler's start, and the lock's term; tests/contracts has the lock itself.
        pytest.param(name, marks=[pytest.mark.soak] if name == KILL_LOCK_AND_BACK else [])
        for name in CLOCK_FAULTS
    ],
)
def test_a_clock_that_is_set_costs_nothing_but_time(on_clock, clip, tmp_path, name: str, record_property):
    """Output identical, nothing left, and no attempt counts as failed but that of a killed worker."""
    scene, clock = on_clock
    outcome = suffer(scene, clock_fault(name, clock), clip, tmp_path / "out.mov", random.Random(1))
    record_property("recovery_s", round(outcome.recovery_s, 2))
    sys.stdout.write(f"{name}: {outcome}\n")
    with sqlite3.connect(scene.farm.home / "farm.db") as database:
        query = (
            "SELECT sum(failures) FROM chunk WHERE job_id = (SELECT id FROM job ORDER BY rowid DESC LIMIT 1)"
        )
        (failures,) = database.execute(query).fetchone()
    database.close()
    assert failures <= (name == KILL_AND_BACK)
