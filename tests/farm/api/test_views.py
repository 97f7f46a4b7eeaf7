"""What users see of a job, from its rows, its leases and its results."""

from __future__ import annotations

import time

import pytest

from broker.messages import ChunkRendered
from farm.states import ChunkState, JobState
from farm.views import job_view
from tests.farm.rows import a_job, some_chunks

pytestmark = pytest.mark.needs_redis


def a_result(index: int, num_frames: int) -> ChunkRendered:
    return ChunkRendered(
        job_id="j1",
        index=index,
        attempt=1,
        worker="w",
        num_frames=num_frames,
        num_fused=num_frames,
        num_parts=1,
        num_bytes=1,
        sha256="",
        render_s=1.0,
    )


@pytest.fixture
def rendering(farm):
    """A job of 40 frames, ten seconds into its rendering: chunks rendered, committed, held and waiting."""
    now = time.time()
    farm.store.add_job(
        a_job(
            "j1",
            state="rendering",
            stage="rendering",
            num_frames=40,
            created_at=now - 15,
            rendering_at=now - 10,
        )
    )
    chunks = some_chunks("j1", 4)
    farm.store.replace_chunks("j1", chunks)
    for chunk in chunks[:3]:
        farm.store.move_chunk(chunk, ChunkState.OFFERED, attempt=1)
        farm.broker.leases.offer("j1", chunk.index, 1)
    leases = [farm.broker.leases.claim("j1", index, 1, "w") for index in range(3)]
    farm.store.move_chunk(farm.store.chunks("j1")[0], ChunkState.RENDERED, num_fused=7)
    farm.broker.leases.commit(leases[0], a_result(0, 10))
    farm.broker.leases.forget("j1", 0)
    farm.broker.leases.commit(leases[1], a_result(1, 10))
    farm.broker.leases.renew(leases[2], num_frames=4, stage="fusing")
    return farm


def test_frames_count_once_whether_collected_committed_or_in_the_making(rendering):
    view = job_view(rendering, "j1")
    assert view.frames_done == 10 + 10 + 4
    assert view.frames_fused == 7
    assert (view.chunks, view.chunks_done, view.attempts) == (4, 1, 3)
    (running,) = view.running
    assert (
        running.index,
        running.start,
        running.end,
        running.num_frames,
        running.worker,
        running.stage,
    ) == (2, 20, 30, 4, "w", "fusing")


def test_rate_and_remaining_time_follow_from_the_rendering_alone(rendering):
    view = job_view(rendering, "j1")
    assert view.fps == pytest.approx(2.4, rel=0.05)
    assert view.eta_s == pytest.approx(16 / 2.4, rel=0.05)
    assert view.seconds == pytest.approx(15, abs=1)


@pytest.mark.parametrize(("num_frames", "queued"), [(0, False), (30, True)])
def test_a_job_that_waits_for_its_first_turn_is_queued_unless_it_is_being_indexed(
    rendering, num_frames, queued
):
    rendering.store.add_job(a_job("j2", state="indexing", stage="indexing 0 %", num_frames=num_frames))
    rendering.store.add_job(a_job("j3", state="rendering", stage="rendering", num_frames=30))
    assert job_view(rendering, "j2").stage == ("queued" if queued else "indexing 0 %")
    assert job_view(rendering, "j3").stage == "queued"
    assert job_view(rendering, "j1").stage == "rendering"


def test_a_job_that_nobody_is_before_is_not_queued(farm):
    farm.store.add_job(a_job("j1", state="rendering", stage="rendering", num_frames=30))
    assert job_view(farm, "j1").stage == "rendering"


def test_the_rate_of_a_job_that_waited_is_what_its_chunks_took(rendering):
    hour = {"rendering_at": time.time() - 3600, "num_paces": 2, "pace_sum": 2 * 0.5}
    rendering.store.update_job("j1", **hour)
    view = job_view(rendering, "j1")
    assert view.fps == pytest.approx(2.0)  # one worker holds a chunk now, and a frame took half a second
    assert view.eta_s == pytest.approx(16 / 2.0)


def test_the_rate_of_a_job_that_has_ended_does_not_change_any_more(farm):
    now = time.time()
    farm.store.add_job(
        a_job("j1", state="rendering", num_frames=10, created_at=now - 20, rendering_at=now - 15)
    )
    (chunk,) = some_chunks("j1", 1)
    farm.store.replace_chunks("j1", [chunk])
    farm.store.move_chunk(chunk, ChunkState.OFFERED, attempt=1)
    farm.store.move_chunk(farm.store.chunks("j1")[0], ChunkState.RENDERED)
    farm.store.move_job("j1", JobState.RENDERING, JobState.STITCHING)
    farm.store.move_job("j1", JobState.STITCHING, JobState.DONE, finished_at=now - 5)
    view = job_view(farm, "j1")
    assert view.fps == pytest.approx(1.0)
    assert view.seconds == pytest.approx(15)
    assert view.eta_s is None


def test_failed_chunks_are_shown_with_what_was_said(farm):
    farm.store.add_job(a_job("j1", state="rendering", num_frames=30))
    farm.store.replace_chunks("j1", some_chunks("j1", 3))
    farm.store.move_chunk(farm.store.chunks("j1")[1], ChunkState.OFFERED, attempt=1)
    farm.store.move_chunk(
        farm.store.chunks("j1")[1], ChunkState.FAILED, failures=3, error="crashed: it does (worker w)"
    )
    view = job_view(farm, "j1")
    (failed,) = view.failed
    assert (failed.start, failed.end, failed.attempts) == (10, 20, 3)
    assert "worker w" in failed.error
    assert (view.chunks_failed, view.can_retry) == (1, False)


def test_no_time_is_below_zero_where_the_clock_was_set_back(farm):
    farm.store.add_job(a_job("j1", created_at=time.time() + 3600, first_frame_at=time.time()))
    view = job_view(farm, "j1")
    assert (view.seconds, view.first_frame_s) == (0.0, 0.0)


def test_why_a_job_is_paused_is_shown(farm):
    farm.store.add_job(a_job("j1", state="paused", pause_code="disk-full", pause_reason="full", priority=2))
    view = job_view(farm, "j1")
    assert (view.pause.code, view.pause.reason, view.priority) == ("disk-full", "full", 2)


def test_an_error_and_notes_are_shown(farm):
    farm.store.add_job(
        a_job("j1", state="failed", error_code="x", error_message="m", error_hint="h", notes=["n"])
    )
    view = job_view(farm, "j1")
    assert (view.error.code, view.error.message, view.error.hint) == ("x", "m", "h")
    assert view.notes == ["n"]
