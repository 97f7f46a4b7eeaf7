"""How slots are divided: bounded, even, by priority, and nobody starves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.shares import NEWCOMER_S, OFFERS_PER_WORKER, STARVED_S, Standing, divide

NOW = 10_000.0


def a_standing(job_id: str, **fields) -> Standing:
    values = {
        "job_id": job_id,
        "priority": 0,
        "admitted_at": 0.0,
        "last_offer_at": NOW - 1,
        "num_in_flight": 0,
        "num_waiting": 100,
        "is_rendering": True,
        **fields,
    }
    return Standing(**values)


@st.composite
def crowds(draw):
    jobs = draw(
        st.lists(
            st.builds(
                a_standing,
                st.just(""),
                priority=st.integers(-2, 2),
                admitted_at=st.floats(0, NOW),
                last_offer_at=st.none() | st.floats(0, NOW),
                num_in_flight=st.integers(0, 4),
                num_waiting=st.integers(0, 5),
                is_rendering=st.booleans(),
            ),
            min_size=1,
            max_size=8,
        )
    )
    return [
        Standing(**{**{name: getattr(job, name) for name in Standing.__slots__}, "job_id": f"j{number}"})
        for number, job in enumerate(jobs)
    ]


@given(crowds(), st.integers(1, 12))
def test_slots_are_never_exceeded_but_for_the_last_offer_of_each(jobs, num_slots):
    """What is out of each job's hands already (one offer at most) is all that may exceed the slots."""
    shares = divide(jobs, num_slots, NOW)
    assert set(shares) == {job.job_id for job in jobs}
    kept = sum(min(1, job.num_in_flight) for job in jobs)
    assert sum(shares.values()) <= max(num_slots, kept)
    assert all(shares[job.job_id] >= min(1, job.num_in_flight) for job in jobs)


@given(crowds(), st.integers(1, 12))
def test_no_slot_is_idle_while_a_job_can_use_it(jobs, num_slots):
    shares = divide(jobs, num_slots, NOW)
    if sum(shares.values()) < num_slots:
        assert all(shares[job.job_id] >= job.demand for job in jobs)


@given(st.integers(1, 6), st.integers(1, 40))
def test_jobs_of_one_priority_share_evenly(num_jobs, num_slots):
    shares = divide([a_standing(f"j{number}") for number in range(num_jobs)], num_slots, NOW)
    assert max(shares.values()) - min(shares.values()) <= 1
    assert sum(shares.values()) == num_slots


def test_what_one_job_cannot_use_goes_to_the_others():
    shares = divide([a_standing("short", num_waiting=1), a_standing("long")], 8, NOW)
    assert shares == {"short": 1, "long": 7}


def test_the_higher_priority_takes_all_it_can_use_and_the_rest_goes_down():
    high, low = a_standing("high", priority=5, num_waiting=6), a_standing("low")
    assert divide([low, high], 8, NOW) == {"high": 6, "low": 2}
    assert divide([low, high], 4, NOW) == {"high": 4, "low": 0}


def test_a_job_that_was_long_passed_over_gets_a_chunk_in_spite_of_its_priority():
    high = a_standing("high", priority=5, num_in_flight=4)
    low = a_standing("low", last_offer_at=NOW - STARVED_S - 1)
    assert divide([high, low], 4, NOW) == {"high": 3, "low": 1}


def test_a_newcomer_has_a_whole_worker_from_the_moment_its_chunks_are_planned():
    """On one worker, the long job's queued chunk is taken back, and after the running one it waits."""
    long = a_standing("long", num_in_flight=2)
    new = a_standing("new", admitted_at=NOW - 1, last_offer_at=None, is_rendering=False)
    assert divide([long, new], OFFERS_PER_WORKER, NOW) == {"long": 1, "new": 1}
    idle = a_standing("long")
    assert divide([idle, new], OFFERS_PER_WORKER, NOW) == {"long": 0, "new": 2}
    stuck = a_standing("new", admitted_at=NOW - NEWCOMER_S, last_offer_at=None, is_rendering=False)
    assert divide([idle, stuck], OFFERS_PER_WORKER, NOW) == {"long": 2, "new": 0}


def test_turns_go_round_when_there_are_more_jobs_than_slots():
    """Whoever has waited longest for an offer is next; whoever has a chunk out keeps it."""
    jobs = [a_standing(f"j{number}", last_offer_at=NOW - 10 - number) for number in range(5)]
    assert divide(jobs, 2, NOW) == {"j0": 0, "j1": 0, "j2": 0, "j3": 1, "j4": 1}
    busy = a_standing("busy", last_offer_at=NOW, num_in_flight=1)
    assert divide([*jobs, busy], 2, NOW)["busy"] == 1


def test_a_clock_that_is_set_back_starves_nobody_for_an_hour():
    """Whoever had its last offer in what is now the future may have waited for any time."""
    low = a_standing("low", last_offer_at=NOW + 3600)
    high = a_standing("high", priority=1)
    assert divide([low, high], 4, NOW)["low"] == 1


def test_a_newcomer_of_before_the_clock_was_set_back_is_none_for_an_hour():
    newcomer = a_standing("newcomer", admitted_at=NOW + 3600, last_offer_at=None)
    assert not newcomer.is_newcomer(NOW)
    assert a_standing("fresh", admitted_at=NOW - 1, last_offer_at=None).is_newcomer(NOW)
