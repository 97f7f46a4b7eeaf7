"""A held chunk without new frames is taken away: before its lease could say so, not before it is fair."""

from __future__ import annotations

import pytest

from broker.leases import RENDERING, WAITING
from farm.config import STALL_S, STALL_START_S
from farm.stall import GROWTH, MANY_TIMES, UNKNOWN
from farm.states import ChunkState
from tests.farm.album.gallery import make
from tests.farm.driving import start

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture
def held(simulation, request_):
    """A job whose first chunk a worker holds."""
    simulation.num_workers = 2
    job_id = start(simulation, request_)
    return Held(simulation, job_id)


class Held:
    def __init__(self, simulation, job_id: str) -> None:
        self.simulation, self.job_id = simulation, job_id
        message = simulation.mailbox.messages.pop(0)
        self.index = message.index
        self.lease = simulation.broker.leases.claim(job_id, message.index, message.attempt, "w1")

    def renew(self, num_frames: int, seconds: float, stage: str = RENDERING) -> None:
        """Keep the lease for so long without a new frame."""
        self.simulation.broker.leases.renew(self.lease, num_frames=num_frames, stage=stage)
        for _ in range(int(seconds)):
            self.simulation.clock.sleep(1)
            self.simulation.broker.leases.renew(self.lease, num_frames=num_frames, stage=stage)
            self.simulation.advance(self.job_id)
            if self.state != ChunkState.LEASED:
                return

    @property
    def row(self):
        return self.simulation.farm.store.chunk(self.job_id, self.index)

    @property
    def state(self) -> str:
        return self.row.state

    def learn(self, seconds_per_frame: float) -> None:
        """Let the farm know what a frame of the job takes."""
        last = self.simulation.farm.store.chunks(self.job_id)[-1]
        store = self.simulation.farm.store
        store.move_chunk(last, ChunkState.OFFERED)
        last = store.chunk(self.job_id, last.index)
        store.move_chunk(last, ChunkState.RENDERED, render_s=seconds_per_frame * (last.end - last.start))


def test_a_picture_may_be_larger_than_all_before(simulation, tmp_path):
    """What the others took says little of it: it gets as long as if nothing were known."""
    names = ("grey.png", "rgb.png", "rgba.png", "rgb16.png")
    folder = make(tmp_path / "in", *names)
    held = Held(
        simulation,
        start(
            simulation,
            {
                "input": str(folder),
                "output": str(tmp_path / "out"),
                "engine": "passthrough",
                "chunk_pictures": 2,
            },
        ),
    )
    held.learn(0.01)
    held.renew(1, STALL_S * UNKNOWN - 2)
    assert held.state == ChunkState.LEASED
    held.renew(1, 4)
    assert held.state == ChunkState.SOFT_FAILED


def test_a_fast_job_is_looked_at_before_the_lease_could_lapse(held):
    """After the floor, which is less than a lease."""
    held.learn(0.01)
    held.renew(5, STALL_S - 1)
    assert held.state == ChunkState.LEASED
    held.renew(6, STALL_S - 1)
    assert held.state == ChunkState.LEASED, "a new frame begins the time anew"
    held.renew(6, 3)
    assert held.state == ChunkState.SOFT_FAILED
    assert held.row.error.startswith("stalled: no frame for ")
    assert (held.row.failures, held.row.failed_on) == (1, ["w1"])
    assert held.simulation.broker.config.lease_ttl_s > STALL_S


def test_a_slow_job_is_given_many_times_its_median(held):
    held.learn(1.0)
    held.renew(5, MANY_TIMES - 1)
    assert held.state == ChunkState.LEASED
    held.renew(5, 3)
    assert held.state == ChunkState.SOFT_FAILED


def test_an_unknown_job_is_given_more(held):
    held.renew(5, UNKNOWN * STALL_S - 1)
    assert held.state == ChunkState.LEASED
    held.renew(5, 3)
    assert held.state == ChunkState.SOFT_FAILED


@pytest.mark.parametrize("is_at_its_end", [False, True])
def test_before_the_first_frame_and_after_the_last_more_is_allowed(held, is_at_its_end):
    """Models are loaded then; encoders let go of what they held back."""
    held.learn(0.01)
    num_frames = held.row.end - held.row.start if is_at_its_end else 0
    held.renew(num_frames, STALL_START_S - 2)
    assert held.state == ChunkState.LEASED
    held.renew(num_frames, 5)
    assert held.state == ChunkState.SOFT_FAILED


def test_who_waits_for_room_is_not_stalled(held):
    """That is the farm's own doing."""
    held.learn(0.01)
    held.renew(5, 4 * STALL_S, WAITING)
    assert held.state == ChunkState.LEASED


def test_each_further_attempt_has_more_time(held):
    """A frame that really takes so long is rendered in the end."""
    held.learn(0.01)
    held.renew(5, STALL_S + 3)
    simulation = held.simulation
    simulation.clock.sleep(3)
    while (message := simulation.mailbox.messages[0]).index != held.index:
        simulation.deliver()
        simulation.advance(held.job_id)
    held.lease = simulation.broker.leases.claim(held.job_id, held.index, message.attempt, "w0")
    simulation.advance(held.job_id)
    held.renew(5, GROWTH * STALL_S - 2)
    assert held.state == ChunkState.LEASED
    held.renew(5, 4)
    assert held.row.failures == 2
