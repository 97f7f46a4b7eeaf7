"""The reconciler: whatever is lost, doubled or reordered, the job ends once, with every frame exact."""

import random
from pathlib import Path

import pytest

from bench.judge import frame_md5s
from broker.connect import memory_broker
from broker.errors import LeaseLost
from broker.messages import ChunkFailed, RenderChunk
from farm.cancel import cancel
from farm.errors import OutputRefused, StaleTransition
from farm.states import ChunkState, JobState
from tests.farm.driving import assert_exact, fail, start
from tests.farm.simulation import Simulation

pytestmark = pytest.mark.needs_ffmpeg


def test_an_undisturbed_job(simulation, request_, clip):
    job = simulation.run(simulation.submit(**request_))
    assert_exact(job, clip, simulation)
    assert (
        simulation.farm.store.totals(job.id).attempts == simulation.farm.store.totals(job.id).num_chunks > 2
    )


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_completion(simulation, request_, clip, seed):
    """Messages delivered in a random order, to a farm of three workers."""
    chosen = random.Random(seed)
    simulation.num_workers = 3
    job = simulation.run(simulation.submit(**request_), pick=chosen.randrange)
    assert_exact(job, clip, simulation)


def test_a_worker_that_dies_in_a_chunk(simulation, request_, clip):
    """The lease lapses, the chunk runs again as attempt 2; one attempt more in all."""
    job_id = start(simulation, request_)
    doomed = simulation.die_in()
    simulation.advance(job_id)
    assert state_of(simulation, job_id, doomed.index) == ChunkState.LEASED
    simulation.clock.sleep(simulation.broker.config.lease_ttl_s + 1)
    job = simulation.run(job_id)
    assert_exact(job, clip, simulation)
    totals = simulation.farm.store.totals(job_id)
    assert totals.attempts == totals.num_chunks + 1


def test_a_lease_that_lapsed_while_redis_was_away_counts_against_nobody(simulation, request_, clip):
    """The chunk runs again at once; that is no failure of its, nor of its worker's."""
    job_id = start(simulation, request_)
    doomed = simulation.die_in()
    simulation.advance(job_id)
    simulation.clock.sleep(simulation.broker.config.lease_ttl_s + 1)
    simulation.broker.presence.return_now()
    job = simulation.run(job_id)
    assert_exact(job, clip, simulation)
    (chunk,) = [chunk for chunk in simulation.farm.store.chunks(job_id) if chunk.index == doomed.index]
    assert (chunk.attempt, chunk.failures) == (2, 0)


def test_a_worker_that_wakes_too_late_is_refused(simulation, request_, clip):
    """Its commit carries an old token; the chunk of the second worker counts."""
    job_id = start(simulation, request_)
    message = simulation.mailbox.messages.pop(0)
    lease = simulation.broker.leases.claim(job_id, message.index, message.attempt, "sleeper")
    simulation.advance(job_id)
    simulation.clock.sleep(simulation.broker.config.lease_ttl_s + 1)
    late = ChunkFailed(
        job_id=job_id, index=message.index, attempt=1, worker="sleeper", code="x", message="x", is_final=True
    )
    with pytest.raises(LeaseLost):
        simulation.broker.leases.commit(lease, late)
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_message_delivered_twice_is_rendered_once(simulation, request_, clip):
    job_id = start(simulation, request_)
    simulation.mailbox.messages.insert(1, simulation.mailbox.messages[0])
    simulation.deliver()
    results = simulation.broker.leases.results(job_id)
    simulation.deliver()
    assert simulation.broker.leases.results(job_id) == results
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_lost_message_is_sent_again(simulation, request_, clip):
    job_id = start(simulation, request_)
    simulation.mailbox.messages.clear()
    job = simulation.run(job_id)
    assert_exact(job, clip, simulation)
    totals = simulation.farm.store.totals(job_id)
    assert totals.attempts == totals.num_chunks


def test_a_lost_check_is_asked_again(simulation, request_, clip):
    job_id = simulation.submit(**request_)
    simulation.advance(job_id)
    simulation.mailbox.messages.clear()
    assert_exact(simulation.run(job_id), clip, simulation)


def test_redis_emptied(simulation, request_, clip):
    """Offers, leases and segments are gone; what was collected is not rendered again."""
    job_id = start(simulation, request_)
    simulation.deliver()
    simulation.advance(job_id)
    import dataclasses

    simulation.mailbox.messages.clear()
    simulation.farm = dataclasses.replace(
        simulation.farm, broker=memory_broker(simulation.broker.config, simulation.clock)
    )
    assert_exact(simulation.run(job_id), clip, simulation)


def test_a_chunk_that_always_fails_ends_the_job(simulation, request_):
    """Three attempts; the others go on; the job fails, naming the frames, and keeps what was rendered."""
    job_id = start(simulation, request_)
    poisoned = simulation.mailbox.messages[0].index
    for _ in range(40):
        simulation.advance(job_id)
        if simulation.job(job_id).state == JobState.FAILED:
            break
        if not simulation.mailbox.messages:
            simulation.clock.sleep(3.0)
            continue
        message = simulation.mailbox.messages[0]
        if isinstance(message, RenderChunk) and message.index == poisoned:
            fail(simulation, simulation.mailbox.messages.pop(0))
        else:
            simulation.deliver()
    job = simulation.job(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "chunk-failed")
    assert "frames [0, " in job.error_message
    assert "3 attempts" in job.error_message
    simulation.advance(job_id)
    assert (job.num_failed, job.num_rendered) == (1, job.num_chunks - 1)
    assert simulation.holds_nothing_in_redis(job_id)
    assert not list(Path(job.output_path).parent.glob("*out*"))


def test_cancel_frees_everything(simulation, request_):
    """A running chunk loses its lease, segments and spool go, a late commit is refused."""
    job_id = start(simulation, request_)
    message = simulation.mailbox.messages.pop(0)
    lease = simulation.broker.leases.claim(job_id, message.index, message.attempt, "busy")
    cancel(simulation.farm, job_id)
    with pytest.raises(LeaseLost):
        simulation.broker.leases.renew(lease, num_frames=1, stage="rendering")
    simulation.advance(job_id)
    assert simulation.job(job_id).state == JobState.CANCELED
    assert simulation.is_clean(job_id)
    with pytest.raises(StaleTransition):
        cancel(simulation.farm, job_id)


def test_output_larger_than_the_window(simulation, request_, clip, tmp_path):
    """Lossless chunks of noise exceed a tiny window many times over: parts are drained as they come."""
    import threading

    small = Simulation(tmp_path / "home", window_bytes=2**17)
    job_id = start(small, request_)
    job_ended = threading.Event()

    def keep_advancing() -> None:
        while not job_ended.wait(0.02):
            small.advance(job_id)

    thread = threading.Thread(target=keep_advancing)
    thread.start()
    peak = 0
    for _ in range(2000):
        peak = max(peak, small.broker.segments.used_bytes())
        if small.job(job_id).state == JobState.DONE:
            break
        if small.mailbox.messages:
            small.deliver()
        else:
            threading.Event().wait(0.01)
            small.clock.sleep(0.5)
    job_ended.set()
    thread.join()
    assert frame_md5s(Path(request_["output"])) == frame_md5s(clip)
    assert peak <= 2**17


def test_the_output_is_never_replaced_unasked(simulation, request_):
    """What appears at the output's name while the job runs stays."""
    job_id = start(simulation, request_)
    Path(request_["output"]).write_text("mine")
    job = simulation.run(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "output-refused")
    assert Path(request_["output"]).read_text() == "mine"
    with pytest.raises(OutputRefused):
        simulation.submit(**request_)


def state_of(simulation, job_id: str, index: int) -> str:
    return simulation.farm.store.chunks(job_id)[index].state
