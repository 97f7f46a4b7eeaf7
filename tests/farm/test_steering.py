"""Pause, resume, retry, priority and delete: what is kept, what is freed, and that the output stays exact."""

from __future__ import annotations

import pytest

from broker.errors import LeaseLost
from farm.cancel import cancel
from farm.errors import JobNotFound, StaleTransition
from farm.states import ChunkState, JobState
from farm.steering.delete import delete
from farm.steering.pause import pause, resume
from farm.steering.priority import prioritise
from farm.steering.retry import retry
from tests.farm.driving import assert_exact, fail, fail_always, start

pytestmark = pytest.mark.needs_ffmpeg


def renders(simulation, job_id: str) -> list[int]:
    """Indexes of chunks in the order in which they were rendered."""
    events = simulation.farm.store.events(job_id)
    return [event.chunk_index for event in events if event.new_state == ChunkState.RENDERED]


def test_a_paused_job_frees_its_workers_and_redis_and_goes_on_where_it_was(simulation, request_, clip):
    """What was rendered is kept and not rendered again; no failure counts; the output is exact."""
    job_id = start(simulation, request_)
    simulation.deliver()
    simulation.advance(job_id)
    message = simulation.mailbox.messages.pop(0)
    lease = simulation.broker.leases.claim(job_id, message.index, message.attempt, "busy")
    pause(simulation.farm, job_id)
    with pytest.raises(LeaseLost):
        simulation.broker.leases.renew(lease, num_frames=1, stage="rendering")
    simulation.advance(job_id)
    job = simulation.job(job_id)
    assert (job.state, job.num_in_flight, job.num_rendered) == (JobState.PAUSED, 0, 1)
    assert simulation.holds_nothing_in_redis(job_id)
    assert all(chunk.failures == 0 for chunk in simulation.farm.store.chunks(job_id))
    simulation.mailbox.messages.clear()
    simulation.clock.sleep(1000)
    simulation.advance(job_id)
    assert simulation.job(job_id).state == JobState.PAUSED
    assert simulation.mailbox.messages == []
    resume(simulation.farm, job_id)
    done = simulation.run(job_id)
    assert_exact(done, clip, simulation)
    assert sorted(renders(simulation, job_id)) == list(range(done.num_chunks))
    assert done.rendered_at - done.rendering_at < 1000  # the pause is not rendering time


def test_a_result_that_was_committed_before_the_pause_is_kept(simulation, request_, clip):
    job_id = start(simulation, request_)
    simulation.deliver()
    pause(simulation.farm, job_id)
    simulation.advance(job_id)
    assert simulation.job(job_id).num_rendered == 1
    resume(simulation.farm, job_id)
    assert_exact(simulation.run(job_id), clip, simulation)


@pytest.mark.parametrize("steps", range(4))
def test_a_job_can_be_paused_at_any_moment_and_resumed_before_anybody_looked(
    simulation, request_, clip, steps
):
    """In the queue, while its portrait is looked at, with chunks out: the output is exact in the end."""
    job_id = simulation.submit(**request_)
    for _ in range(steps):
        simulation.advance(job_id)
        if simulation.mailbox.messages:
            simulation.deliver()
    pause(simulation.farm, job_id)
    with pytest.raises(StaleTransition):
        pause(simulation.farm, job_id)
    resume(simulation.farm, job_id)
    with pytest.raises(StaleTransition):
        resume(simulation.farm, job_id)
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_paused_job_can_be_canceled(simulation, request_):
    job_id = start(simulation, request_)
    pause(simulation.farm, job_id)
    simulation.advance(job_id)
    cancel(simulation.farm, job_id)
    simulation.advance(job_id)
    assert simulation.is_clean(job_id)


def test_a_failed_job_is_taken_up_with_its_rendered_chunks(simulation, request_, clip):
    """Two chunks fail for good, the others are rendered; a retry renders those two, and no other."""
    job_id = start(simulation, request_)
    fail_always(simulation, job_id, {1, 2})
    simulation.advance(job_id)
    job = simulation.job(job_id)
    assert (job.state, job.num_failed, job.num_rendered) == (JobState.FAILED, 2, job.num_chunks - 2)
    chunks = simulation.farm.store.chunks(job_id)
    assert f"[{chunks[1].start}, {chunks[2].end})" in job.error_message  # adjacent ranges are told as one
    assert simulation.holds_nothing_in_redis(job_id)
    before = renders(simulation, job_id)
    retry(simulation.farm, job_id)
    assert simulation.job(job_id).error_code is None
    done = simulation.run(job_id)
    assert_exact(done, clip, simulation)
    assert sorted(renders(simulation, job_id)[len(before) :]) == [1, 2]
    with pytest.raises(StaleTransition):
        retry(simulation.farm, job_id)


def test_a_failed_output_can_be_retried_without_rendering(simulation, request_, clip, tmp_path):
    """What appeared at the output's name is moved away; the retry only stitches."""
    job_id = start(simulation, request_)
    output = tmp_path / "out.mov"
    output.write_text("mine")
    job = simulation.run(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "output-refused")
    simulation.advance(job_id)
    output.unlink()
    attempts = job.num_attempts
    retry(simulation.farm, job_id)
    done = simulation.run(job_id)
    assert_exact(done, clip, simulation)
    assert done.num_attempts == attempts


def test_a_job_that_failed_for_its_input_keeps_nothing(simulation, request_):
    """A worker says that the portrait cannot be used: no other chunk is tried, and nothing stays on disk."""
    job_id = start(simulation, request_)
    fail(simulation, simulation.mailbox.messages.pop(0), code="source-unusable")
    job = simulation.run(job_id)
    assert (job.state, job.error_code, job.num_rendered) == (JobState.FAILED, "source-unusable", 0)
    simulation.advance(job_id)
    assert simulation.is_clean(job_id)
    with pytest.raises(StaleTransition, match="nothing of it is kept"):
        retry(simulation.farm, job_id)


def test_a_job_of_which_every_chunk_fails_ends_early(simulation, request_):
    """After `max_failed_chunks`, the others are not tried."""
    import dataclasses

    config = dataclasses.replace(simulation.farm.config, max_failed_chunks=2)
    simulation.farm = dataclasses.replace(simulation.farm, config=config)
    job_id = start(simulation, request_)
    fail_always(simulation, job_id, set(range(100)))
    job = simulation.job(job_id)
    assert (job.state, job.num_failed) == (JobState.FAILED, 2)
    assert job.num_chunks > 3


def test_delete_says_what_goes_and_then_it_is_gone(simulation, request_, tmp_path):
    """A dry run changes nothing; a job that goes on needs force; the output stays unless asked for."""
    job_id = start(simulation, request_)
    with pytest.raises(StaleTransition):
        delete(simulation.farm, job_id)
    plan = delete(simulation.farm, job_id, dry_run=True, force=True)
    assert not plan.is_done
    assert plan.rows["job"] == 1
    assert plan.rows["chunk"] == simulation.job(job_id).num_chunks
    assert plan.redis_keys > 0
    assert [path.path for path in plan.paths] == [str(simulation.farm.config.job_directory(job_id))]
    assert plan.paths[0].num_bytes > 0
    assert delete(simulation.farm, job_id, force=True).is_done
    assert simulation.is_clean(job_id)
    simulation.advance(job_id)  # a message that comes late harms nobody
    with pytest.raises(JobNotFound):
        delete(simulation.farm, job_id)


@pytest.mark.parametrize("with_output", [False, True])
def test_delete_keeps_the_output_unless_it_is_asked_for(simulation, request_, tmp_path, with_output):
    job = simulation.run(simulation.submit(**request_))
    plan = delete(simulation.farm, job.id, with_output=with_output)
    assert (str(tmp_path / "out.mov") in [path.path for path in plan.paths]) == with_output
    assert (tmp_path / "out.mov").exists() != with_output


def test_a_failed_job_that_is_deleted_takes_its_spool_along(simulation, request_):
    job_id = start(simulation, request_)
    fail_always(simulation, job_id, {1})
    simulation.advance(job_id)
    assert simulation.farm.config.job_directory(job_id).exists()
    delete(simulation.farm, job_id)
    assert simulation.is_clean(job_id)


def test_only_jobs_that_go_on_have_a_priority_to_set(simulation, request_):
    job_id = simulation.submit(**request_)
    prioritise(simulation.farm, job_id, 7)
    assert simulation.job(job_id).priority == 7
    simulation.run(job_id)
    with pytest.raises(StaleTransition):
        prioritise(simulation.farm, job_id, 8)


def test_a_stitch_that_died_after_the_last_rename_is_finished(simulation, request_, clip, monkeypatch):
    """The output has its name, the row does not say so yet: the next one who looks does not refuse it."""
    job_id = simulation.submit(**request_)
    move = simulation.farm.store.move_job

    def die(job_id, old, new, **fields):
        if new == JobState.DONE:
            raise KeyboardInterrupt
        move(job_id, old, new, **fields)

    with monkeypatch.context() as patched:
        patched.setattr(simulation.farm.store, "move_job", die)
        with pytest.raises(KeyboardInterrupt):
            simulation.run(job_id)
    assert_exact(simulation.run(job_id), clip, simulation)
