"""Bad workers: three chunks of a job fail on one, and it gets no more of that job; nobody waits in vain."""

from __future__ import annotations

import dataclasses

import pytest

from broker.messages import ChunkFailed, FuseSpec, RenderChunk
from farm.blocking import FORGET_S, STRANDED_S, block, unblock
from farm.collect import take_back
from farm.errors import StaleTransition
from farm.states import ChunkState, JobState
from farm.steering.retry import retry
from farm.views import job_view, job_views, worker_views
from tests.farm.driving import assert_exact, start
from workers.swappers.contract import Source
from workers.swappers.passthrough import Passthrough

pytestmark = pytest.mark.needs_ffmpeg


def fail_on(simulation, worker: str, message: RenderChunk, code: str = "crashed") -> None:
    lease = simulation.broker.leases.claim(message.job_id, message.index, message.attempt, worker)
    failed = ChunkFailed(
        job_id=message.job_id,
        index=message.index,
        attempt=message.attempt,
        worker=worker,
        code=code,
        message="out of luck\nwith a stack",
    )
    simulation.broker.leases.commit(lease, failed)


def fail_chunks(simulation, job_id: str, worker: str, number: int) -> set[int]:
    """Let the next chunks fail on a worker that takes them from the shared queue; return which."""
    failed: set[int] = set()
    while len(failed) < number:
        simulation.advance(job_id)
        messages = simulation.mailbox.messages
        fresh = [m for m in messages if m.index not in failed]
        if fresh:
            messages.remove(fresh[0])
            fail_on(simulation, worker, fresh[0])
            failed.add(fresh[0].index)
        else:
            simulation.clock.sleep(1.0)
    simulation.advance(job_id)
    return failed


@pytest.fixture
def short(request_):
    """A request of many chunks."""
    return {**request_, "chunk_seconds": 0.25}


def blocked(simulation, job_id: str) -> dict[str, str]:
    return {row.worker: row.code for row in simulation.farm.store.blocks([job_id])}


def test_three_failed_chunks_block_a_worker_for_the_job(simulation, short, clip):
    """It is shown wherever jobs and workers are, its messages go to others, and the job ends exactly."""
    simulation.num_workers = 2
    job_id = start(simulation, short)
    fail_chunks(simulation, job_id, "w1", 2)
    assert blocked(simulation, job_id) == {}
    fail_chunks(simulation, job_id, "w1", 3)
    assert blocked(simulation, job_id) == {"w1": "failures"}
    (shown,) = job_view(simulation.farm, job_id).blocked
    assert (shown.worker, "out of luck" in shown.reason) == ("w1", True)
    assert job_views(simulation.farm, 5)[0].blocked == [shown]
    assert [(view.worker, view.blocked_for) for view in worker_views(simulation.farm)] == [
        ("w0", []),
        ("w1", [job_id]),
    ]
    before = dict(simulation.mailbox.sent_to)
    job = simulation.run(job_id)
    assert_exact(job, clip, simulation)
    sent = {to for offer, to in simulation.mailbox.sent_to.items() if offer not in before}
    assert sent == {"w0"}
    assert blocked(simulation, job_id) == {}, "blocks end with the job"


def test_a_blocked_worker_passes_on_what_reaches_it(simulation, short, clip):
    """Messages that were on their way are neither rendered by it nor lost."""
    simulation.num_workers = 2
    job_id = start(simulation, short)
    block(simulation.farm, job_id, "w1", code="failures", reason="it does")
    (message,) = simulation.mailbox.messages[:1]
    simulation.deliver(to="w1")
    assert simulation.broker.leases.holders(job_id) == {}
    assert simulation.broker.leases.results(job_id) == {}
    assert simulation.mailbox.messages[-1] == message
    assert simulation.mailbox.sent_to[message.index, 1] == "w0"
    assert_exact(simulation.run(job_id), clip, simulation)


def test_one_chunk_that_fails_everywhere_blocks_nobody(simulation, short):
    """Poison is the chunk's fault: each of its attempts goes to a worker that has not failed it."""
    simulation.num_workers = 3
    job_id = start(simulation, short)
    poison = simulation.mailbox.messages[0].index
    tried = []
    for _ in range(200):
        simulation.advance(job_id)
        if simulation.job(job_id).state == JobState.FAILED:
            break
        if not simulation.mailbox.messages:
            simulation.clock.sleep(3.0)
            continue
        message = simulation.mailbox.messages[0]
        if message.index != poison:
            simulation.deliver()
            continue
        simulation.mailbox.messages.pop(0)
        worker = simulation.mailbox.sent_to[message.index, message.attempt] or "w2"
        tried.append(worker)
        fail_on(simulation, worker, message)
    assert sorted(tried) == ["w0", "w1", "w2"]
    assert blocked(simulation, job_id) == {}
    (bad,) = simulation.farm.store.chunks(job_id, {ChunkState.FAILED})
    assert bad.index == poison


def test_the_last_worker_is_never_blocked_for_failures(simulation, short):
    """Its chunks are given up one by one instead, and the job says which frames."""
    job_id = start(simulation, short)
    fail_chunks(simulation, job_id, "w0", 5)
    assert blocked(simulation, job_id) == {}


def test_an_unblocked_worker_gets_chunks_again(simulation, short, clip):
    """With no failure to its name; who is not blocked cannot be unblocked."""
    simulation.num_workers = 2
    job_id = start(simulation, short)
    fail_chunks(simulation, job_id, "w1", 3)
    unblock(simulation.farm, job_id, "w1")
    assert blocked(simulation, job_id) == {}
    assert simulation.broker.leases.barred(job_id) == frozenset()
    fail_chunks(simulation, job_id, "w1", 2)
    assert blocked(simulation, job_id) == {}
    with pytest.raises(StaleTransition, match="not blocked"):
        unblock(simulation.farm, job_id, "w0")
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_job_without_a_worker_left_says_so_then_fails_and_can_be_retried(simulation, short, clip):
    """It does not spin: nothing is offered; a worker that comes is taken at once, and retry unblocks all."""
    job_id = start(simulation, short)
    block(simulation.farm, job_id, "w0", code="other-build", reason="libx264: 164 here, 163 in the plan")
    simulation.mailbox.messages.clear()
    simulation.advance(job_id)
    assert "libx264: 164 here" in job_view(simulation.farm, job_id).stage
    attempts = simulation.farm.store.totals(job_id).attempts
    simulation.num_workers = 2
    simulation.advance(job_id)
    assert job_view(simulation.farm, job_id).stage == "rendering"
    simulation.num_workers = 1
    simulation.clock.sleep(simulation.broker.config.heartbeat_s * 4)
    simulation.advance(job_id)
    simulation.clock.sleep(STRANDED_S + 1)
    simulation.advance(job_id)
    job = simulation.job(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "other-build")
    assert "--replan" in job.error_hint
    assert simulation.farm.store.totals(job_id).attempts - attempts <= 4
    retry(simulation.farm, job_id)
    assert blocked(simulation, job_id) == {}
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_clock_that_is_set_back_does_not_hide_that_no_worker_is_left(simulation, short):
    """The minute begins anew, and an hour is not waited for."""
    job_id = start(simulation, short)
    block(simulation.farm, job_id, "w0", code="other-build", reason="libx264: 164 here, 163 in the plan")
    simulation.advance(job_id)
    simulation.farm = dataclasses.replace(simulation.farm, wall=lambda: simulation.clock.now_s() - 3600)
    simulation.advance(job_id)
    assert simulation.job(job_id).state == JobState.RENDERING
    simulation.clock.sleep(STRANDED_S + 1)
    simulation.advance(job_id)
    assert simulation.job(job_id).state == JobState.FAILED


def test_workers_that_have_gone_are_forgotten(simulation, short):
    """Rows of names that never come back do not pile up."""
    simulation.num_workers = 2
    job_id = start(simulation, short)
    fail_chunks(simulation, job_id, "w1", 1)
    assert [row.worker for row in simulation.farm.store.against(job_id)] == ["w1"]
    simulation.num_workers = 1
    for _ in range(2):
        simulation.clock.sleep(FORGET_S - 1)
        simulation.advance(job_id)
    simulation.clock.sleep(2)
    simulation.advance(job_id)
    assert simulation.farm.store.against(job_id) == []


def test_what_was_sent_to_a_worker_that_died_is_sent_to_another(simulation, short, clip):
    """At once, and what lies in its own queue is thrown away."""
    simulation.num_workers = 3
    job_id = start(simulation, short)
    fail_chunks(simulation, job_id, "w2", 3)
    while not any(to == "w1" for to in simulation.mailbox.sent_to.values()):
        simulation.deliver()
        simulation.advance(job_id)
    simulation.mailbox.messages.clear()
    simulation.num_workers = 1
    simulation.clock.sleep(simulation.broker.config.heartbeat_s * 4)
    simulation.advance(job_id)
    assert "w1" in simulation.mailbox.dropped
    assert simulation.mailbox.messages
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_plan_of_another_build_is_refused_and_can_be_made_anew(simulation, short, clip):
    """The difference is named, no attempt counts; `retry --replan` renders all with the present build."""
    job_id = start(simulation, short)
    plan = dict(simulation.job(job_id).fingerprint)
    assert {"code", "program", "encoder ffv1"} <= set(plan)
    while simulation.farm.store.totals(job_id).num_rendered < 3:
        simulation.deliver()
        simulation.advance(job_id)
    # As if the farm had been upgraded: the plan is an older version's.
    simulation.farm.store.update_job(job_id, fingerprint={**plan, "code": "0ld"})
    for chunk in simulation.farm.store.in_flight(job_id):
        take_back(simulation.farm, chunk, "upgraded")
    simulation.mailbox.messages.clear()
    simulation.advance(job_id)
    simulation.deliver()
    simulation.advance(job_id)
    assert blocked(simulation, job_id) == {"w0": "other-build"}
    assert (
        f"code: {plan['code']} here, 0ld in the plan" in job_view(simulation.farm, job_id).blocked[0].reason
    )
    assert {chunk.failures for chunk in simulation.farm.store.chunks(job_id)} == {0}
    simulation.clock.sleep(STRANDED_S + 1)
    simulation.advance(job_id)
    assert simulation.job(job_id).error_code == "other-build"
    simulation.mailbox.messages.clear()
    retry(simulation.farm, job_id, replan=True)
    assert simulation.farm.store.chunks(job_id) == []
    assert not (simulation.farm.config.job_directory(job_id) / "spool").exists()
    job = simulation.run(job_id)
    assert_exact(job, clip, simulation)
    assert job.fingerprint == plan


def test_a_chunk_that_devices_die_of_is_given_up_in_the_end(simulation, short):
    """The first loss is the device's fault; further ones count: no chunk takes the farm down for ever."""
    job_id = start(simulation, short)
    deadly, losses = simulation.mailbox.messages[0].index, 0
    while simulation.job(job_id).state != JobState.FAILED:
        simulation.advance(job_id)
        if not simulation.mailbox.messages:
            simulation.clock.sleep(3.0)
        elif simulation.mailbox.messages[0].index == deadly:
            fail_on(simulation, "w0", simulation.mailbox.messages.pop(0), "device-lost")
            losses += 1
        else:
            simulation.deliver()
    assert losses == simulation.farm.config.max_attempts + 1
    assert any("w0 left the farm" in note for note in simulation.job(job_id).notes)


class Sick(Passthrough):
    """Fails as soon as it looks at a portrait."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def prepare(self, portrait: bytes, fuse: FuseSpec) -> Source:
        raise self.error


def look(simulation, job_id: str, error: Exception) -> None:
    """Let a worker whose engine is sick look at the job's portrait."""
    worker = simulation.worker()
    worker._engines._swappers["passthrough"] = Sick(error)
    worker.check_source(simulation.mailbox.messages.pop(0))
    simulation.advance(job_id)


def test_a_worker_that_loses_its_device_over_a_portrait_leaves_the_question_to_others(
    simulation, request_, clip
):
    job_id = simulation.submit(**request_)
    simulation.advance(job_id)
    look(simulation, job_id, RuntimeError("CUDA error: unspecified launch failure"))
    assert simulation.left == ["the device is lost: CUDA error: unspecified launch failure"]
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_portrait_that_crashes_the_engine_fails_the_job_with_the_reason(simulation, request_, clip):
    """Instead of being asked about again and again; a repaired worker takes it up."""
    job_id = simulation.submit(**request_)
    simulation.advance(job_id)
    look(simulation, job_id, ZeroDivisionError("by a bug"))
    job = simulation.job(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "crashed")
    assert "ZeroDivisionError: by a bug" in job.error_message
    retry(simulation.farm, job_id)
    assert_exact(simulation.run(job_id), clip, simulation)
