"""Each fault of the catalogue, done to a real farm: the output is the input's frames, and nothing is left."""

from __future__ import annotations

import random
import sys

import pytest

from tests.faults.catalogue import FAULTS, Fault
from tests.faults.recovery import suffer

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_costs_nothing_but_time(scene, clip, tmp_path, fault: Fault, record_property):
    """Output identical, no key, file or row left, and the recovery time noted."""
    outcome = suffer(scene, fault, clip, tmp_path / "out.mov", random.Random(1))
    record_property("recovery_s", round(outcome.recovery_s, 2))
    sys.stdout.write(f"{fault.name}: {outcome}\n")
