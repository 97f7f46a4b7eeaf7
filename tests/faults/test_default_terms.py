"""With the settings that a farm has unless told otherwise, a lost worker costs 15 s, and its own chunk."""

from __future__ import annotations

import pytest

from tests.faults.default_terms import PROMISED_S, default_scene, lose_a_worker

# A promise in seconds: it can only be held to on a machine that does nothing else.
pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg, pytest.mark.soak]


def test_a_killed_worker_costs_fifteen_seconds_at_most(clip, tmp_path):
    """Its chunk is rendered by another within that time, and no other chunk is rendered twice."""
    with default_scene(tmp_path / "farm") as scene:
        outcome = lose_a_worker(scene, clip, tmp_path / "out.mov")
    assert outcome.recovery_s < PROMISED_S
    assert outcome.repeated <= 1
