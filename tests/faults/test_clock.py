"""A clock that jumps: nobody waits for the hour that was gone to come back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from broker.messages import ChunkFailed
from farm.states import LIVE_JOB_STATES, JobState
from tests.farm.simulation import Simulation
from tests.faults.verdict import frames_of, make_clip

pytestmark = pytest.mark.needs_ffmpeg

HOUR_S = 3600.0

#: Seconds on the monotonic clock that a job may take after the jump: pauses and lost messages, not hours.
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return make_clip(tmp_path_factory.mktemp("small") / "clip.mp4", seconds=3, size="96x64")


class Jump:
    """The farm's wall clock: the simulation's, and a jump on top."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.by_s = 0.0
        simulation.farm = dataclasses.replace(simulation.farm, wall=self.now_s)

    def now_s(self) -> float:
        return 1_000_000.0 + self._simulation.clock.now_s() + self.by_s


@pytest.mark.parametrize("by_s", [-HOUR_S, HOUR_S])
def test_the_wall_clock_jumps(small, tmp_path, by_s: float):
    """An attempt has failed and waits for its turn, a message is lost, and then it is another hour."""
    simulation = Simulation(tmp_path)
    jump = Jump(simulation)
    output = tmp_path / "out.mov"
    job_id = simulation.submit(
        input=str(small), output=str(output), engine="passthrough", lossless=True, chunk_seconds=1.0
    )
    while simulation.job(job_id).state != JobState.RENDERING:
        simulation.advance(job_id)
        if simulation.mailbox.messages:
            simulation.deliver()
    simulation.advance(job_id)
    first, *_ = simulation.mailbox.messages
    lease = simulation.broker.leases.claim(job_id, first.index, first.attempt, "w0")
    said = ChunkFailed(
        job_id=job_id, index=first.index, attempt=1, worker="w0", code="out-of-luck", message="once"
    )
    simulation.broker.leases.commit(lease, said)
    simulation.advance(job_id)
    simulation.mailbox.messages.clear()
    jump.by_s = by_s
    began_s = simulation.clock.now_s()
    while simulation.job(job_id).state in LIVE_JOB_STATES and simulation.clock.now_s() < began_s + PATIENCE_S:
        simulation.advance(job_id)
        if simulation.mailbox.messages:
            simulation.deliver()
        simulation.clock.sleep(1.0)
    assert simulation.job(job_id).state == JobState.DONE
    assert frames_of(output) == frames_of(small)
    assert simulation.is_clean(job_id)
