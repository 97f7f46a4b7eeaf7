"""A farm where some workers have an encoder in hardware and others do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.messages import CheckSource, RenderChunk, SourceChecked
from farm.blocking import STRANDED_S
from farm.states import JobState
from farm.steering.retry import retry
from tests.clips import make_clip, read_numbers
from workers.fingerprint import fingerprint
from workers.media.trial import trouble_with
from workers.swappers import open_swapper

pytestmark = pytest.mark.needs_ffmpeg

NUM_FRAMES = 50


@pytest.fixture
def planned(simulation, tmp_path) -> str:
    """A job that a worker with NVENC has looked at; the farm's two others have none."""
    if trouble_with("h264_nvenc", "yuv420p") is None:
        pytest.skip("this machine has NVENC")
    simulation.num_workers = 2
    clip = make_clip(tmp_path / "home-clip.mp4", num_frames=NUM_FRAMES)
    job_id = simulation.submit(
        input=str(clip),
        output=str(tmp_path / "out.mp4"),
        engine="passthrough",
        encoder="nvenc",
        chunk_seconds=0.5,
    )
    simulation.advance(job_id)
    asked = simulation.mailbox.messages.pop()
    assert isinstance(asked, CheckSource)
    assert asked.encode.codec == "h264_nvenc"
    found = fingerprint(open_swapper("passthrough"), asked.fuse, asked.encode)
    assert found["encoder h264_nvenc"].startswith("does not work (")
    there = found | {"encoder h264_nvenc": "works"}
    simulation.broker.leases.put_source_checked(SourceChecked(job_id=job_id, fingerprint=there))
    while not simulation.mailbox.messages:
        simulation.advance(job_id)
    return job_id


def blocks(simulation, job_id: str) -> dict[str, str]:
    return {row.worker: row.reason for row in simulation.farm.store.blocks([job_id])}


def test_a_worker_without_the_encoder_hands_the_chunk_back_and_gets_no_more(simulation, planned):
    """Uncounted; the reason names the encoder. What still reaches the worker it sends on to the other one."""
    simulation.deliver(to="w0")
    simulation.advance(planned)
    ((worker, reason),) = blocks(simulation, planned).items()
    assert worker == "w0"
    assert "encoder h264_nvenc: does not work (" in reason
    assert "here, works in the plan" in reason
    assert {chunk.failures for chunk in simulation.farm.store.chunks(planned)} == {0}
    passed_on = simulation.deliver(to="w0")
    assert isinstance(passed_on, RenderChunk)
    assert simulation.mailbox.sent_to[passed_on.index, passed_on.attempt] == "w1"


def test_without_any_worker_that_has_it_the_job_fails_and_can_be_planned_anew(simulation, planned):
    """Then in software, and that is said."""
    for worker in ("w0", "w1"):
        simulation.deliver(to=worker)
        simulation.advance(planned)
    assert set(blocks(simulation, planned)) == {"w0", "w1"}
    simulation.clock.sleep(STRANDED_S + 1)
    simulation.advance(planned)
    job = simulation.job(planned)
    assert (job.state, job.error_code) == (JobState.FAILED, "other-build")
    assert "--replan" in job.error_hint
    simulation.mailbox.messages.clear()
    retry(simulation.farm, planned, replan=True)
    job = simulation.run(planned)
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert any(note.startswith("h264_nvenc does not work") for note in job.notes)
    assert read_numbers(Path(job.output_path)) == list(range(NUM_FRAMES))
