"""Several jobs on one farm: who is served when, and that a long queue costs nothing."""

from __future__ import annotations

import subprocess

import pytest

from broker.messages import RenderChunk
from farm.admission import LEAST_ACTIVE, MOST_PREPARING
from farm.rounds import Rounds
from farm.shares import OFFERS_PER_WORKER
from farm.states import JobState
from farm.steering.priority import prioritise
from tests.farm.driving import start

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """Forty chunks of half a second."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    source = "testsrc2=size=64x64:rate=8:duration=20"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-g", "4", path], check=True)
    return path


@pytest.fixture
def submit(simulation, request_, long_clip, tmp_path):
    """Submit a short job, or a long one."""

    def submit(name: str, *, is_long: bool = False, **fields) -> str:
        own = {"output": str(tmp_path / f"{name}.mov"), **fields}
        if is_long:
            own |= {"input": str(long_clip), "chunk_seconds": 0.5}
        simulation.clock.sleep(1.0)
        return simulation.submit(**{**request_, **own})

    return submit


def round_of(simulation) -> None:
    """Do what the reconciler's timer does, once."""
    simulation.beat()
    store = simulation.farm.store
    for job_id in [*store.due_jobs(), *store.first_in_queue(MOST_PREPARING)]:
        simulation.advance(job_id)


def served(simulation, number: int) -> list[str]:
    """Let the one worker do `number` messages; return whose chunks it rendered, in order."""
    rendered = []
    while len(rendered) < number:
        round_of(simulation)
        if not simulation.mailbox.messages:
            simulation.clock.sleep(1.0)
            continue
        attempts = {job.id: job.num_rendered for job in simulation.farm.store.jobs()}
        message = simulation.deliver()
        round_of(simulation)
        if isinstance(message, RenderChunk):
            now = simulation.job(message.job_id).num_rendered
            rendered += [message.job_id] * (now - attempts[message.job_id])
    return rendered


def test_a_short_job_behind_a_long_one_is_next(simulation, submit):
    """On one worker: the long job's chunk that runs is the last before the short one's first."""
    long = submit("long", is_long=True)
    served(simulation, 3)
    assert simulation.job(long).num_waiting > 30
    running = next(message for message in simulation.mailbox.messages if isinstance(message, RenderChunk))
    short = submit("short")
    for _ in range(2):  # while the long one's chunk runs
        round_of(simulation)
    simulation.mailbox.messages.remove(running)
    simulation.worker().render_chunk(running)
    assert served(simulation, 3)[0] == short
    assert {short, long} == set(served(simulation, 4))


def test_the_offers_out_are_bounded_by_the_workers(simulation, submit):
    simulation.num_workers = 2
    jobs = [submit(f"j{number}", is_long=True) for number in range(5)]
    for _ in range(12):
        round_of(simulation)
        for message in list(simulation.mailbox.messages):
            if not isinstance(message, RenderChunk):
                simulation.deliver(simulation.mailbox.messages.index(message))
    out = sum(simulation.job(job_id).num_in_flight for job_id in jobs)
    assert 0 < out <= OFFERS_PER_WORKER * 2


def test_a_higher_priority_goes_first_and_the_other_goes_on_after_it(simulation, submit):
    low, high = submit("low", is_long=True), submit("high", is_long=True)
    served(simulation, 4)
    prioritise(simulation.farm, high, 5)
    order = served(simulation, 12)
    assert order[2:].count(high) == 10
    while simulation.job(high).state != JobState.DONE:
        served(simulation, 1)
    assert set(served(simulation, 3)) == {low}


def test_a_queued_job_of_higher_priority_begins_before_older_ones(simulation, submit):
    """Begun jobs are few; among those that wait, the priority decides."""
    jobs = [submit(f"j{number}", is_long=True) for number in range(LEAST_ACTIVE + 2)]
    first = submit("important", priority=9)
    assert first not in {job_id for job_id in jobs if simulation.job(job_id).state != JobState.SUBMITTED}
    round_of(simulation)
    assert simulation.job(first).state == JobState.INDEXING


def test_of_many_queued_jobs_few_are_under_way_and_all_end(simulation, submit):
    """Forty jobs: at no time more than the limit hold an index or a portrait; in the end all are done."""
    jobs = [submit(f"j{number}") for number in range(40)]
    most = 0
    for _ in range(2000):
        round_of(simulation)
        num_active, num_preparing = simulation.farm.store.num_active()
        most = max(most, num_active)
        assert num_preparing <= MOST_PREPARING
        assert len(simulation.mailbox.messages) <= OFFERS_PER_WORKER + LEAST_ACTIVE
        if all(simulation.job(job_id).state == JobState.DONE for job_id in jobs):
            break
        if simulation.mailbox.messages:
            simulation.deliver()
        else:
            simulation.clock.sleep(1.0)
    assert {simulation.job(job_id).state for job_id in jobs} == {JobState.DONE}
    assert 1 < most <= LEAST_ACTIVE


def test_the_timer_looks_at_jobs_under_way_and_the_next_in_the_queue(simulation, request_):
    """Not at a job that its user paused, nor at the end of the queue."""
    from farm.steering.pause import pause

    paused = start(simulation, request_)
    pause(simulation.farm, paused)
    simulation.advance(paused)
    queued = [
        simulation.submit(**{**request_, "output": request_["output"].replace("out", f"out{number}")})
        for number in range(MOST_PREPARING + 2)
    ]
    seen: list[str] = []
    rounds = Rounds(lambda: simulation.farm, lambda _, job_id: seen.append(job_id))
    rounds._look()
    rounds._pool.shutdown(wait=True)
    assert sorted(seen) == sorted(simulation.farm.store.first_in_queue(MOST_PREPARING))
    assert set(seen) < set(queued)
