"""The check before submitting: a worker is asked, earlier jobs are measured, and nothing is left behind."""

from __future__ import annotations

import av
import numpy as np
import pytest

from farm.precheck import precheck
from farm.requests import JobRequest

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture
def answered(simulation, monkeypatch):
    """A farm whose worker looks at portraits at once."""
    monkeypatch.setattr(
        simulation.mailbox, "check_source", lambda message: simulation.worker().check_source(message)
    )
    simulation.beat()
    return simulation


@pytest.fixture
def portrait(tmp_path):
    """A grey picture of a size that a portrait may have."""
    path = tmp_path / "grey.png"
    av.VideoFrame.from_ndarray(np.full((256, 256, 3), 128, np.uint8), format="rgb24").to_image().save(path)
    return path


def assert_nothing_is_left(simulation):
    assert simulation.broker.segments.used_bytes() == 0
    assert simulation.farm.store.first_in_queue(1) == []


def test_an_engine_that_no_worker_has_is_a_problem(answered, request_, portrait):
    """The worker is asked with the portrait itself, and its answer keeps the job from being submitted."""
    request = JobRequest(**{**request_, "engine": "nonesuch", "source": str(portrait)})
    view = precheck(answered.farm, request)
    assert not view.ok
    assert any("unknown-engine" in problem for problem in view.problems)
    assert view.faces is None
    assert_nothing_is_left(answered)


def test_an_earlier_job_of_the_kind_is_the_measure(simulation, request_, monkeypatch, tmp_path):
    """Before it, no time is known; after it, time and space are; of another kind of output, still not."""
    request = JobRequest(**{**request_, "output": str(tmp_path / "next.mov")})
    simulation.beat()
    before = precheck(simulation.farm, request)
    assert (before.render_s, before.spool_bytes, before.measured_jobs) == (None, None, 0)
    assert any("busy" in note for note in before.notes)  # the worker never answered
    simulation.mailbox.messages.clear()
    job = simulation.run(simulation.submit(**request_))
    # Time stands still in the simulation: say what the chunks took.
    simulation.farm.store.update_job(job.id, pace_sum=0.5 * job.num_paces, pace_sq_sum=0.25 * job.num_paces)
    simulation.num_workers = 2
    simulation.beat()
    after = precheck(simulation.farm, request)
    assert (after.frames, after.measured_jobs, after.workers) == (job.num_frames, 1, 2)
    assert after.render_s == pytest.approx(0.5 * job.num_frames / 2)
    assert after.spool_bytes == job.rendered_bytes
    other = precheck(simulation.farm, request.model_copy(update={"lossless": False}))
    assert other.measured_jobs == 0
