"""The tables of states are whole, and walked from end to end."""

import pytest

from farm.errors import StaleTransition
from farm.states import (
    CHUNK_TRANSITIONS,
    IN_FLIGHT,
    JOB_TRANSITIONS,
    LIVE_JOB_STATES,
    WAITING,
    ChunkState,
    JobState,
    return_state,
)
from tests.farm.rows import a_job, some_chunks


@pytest.mark.parametrize("table, states", [(JOB_TRANSITIONS, JobState), (CHUNK_TRANSITIONS, ChunkState)])
def test_tables_are_total_and_reachable(table, states):
    """Every state has a row, and every state can be reached from the first."""
    assert set(table) == set(states)
    seen, frontier = set(), {next(iter(states))}
    while frontier:
        seen |= frontier
        frontier = set().union(*(table[state] for state in frontier)) - seen
    assert seen == set(states)


def test_live_jobs_can_be_canceled_and_of_the_others_only_failed_ones_move():
    """A failed job has ended, and can be taken up again; done and canceled are for good."""
    assert {state for state in JobState if JobState.CANCELED in JOB_TRANSITIONS[state]} == LIVE_JOB_STATES
    moving = {state for state in JobState if JOB_TRANSITIONS[state]}
    assert moving == LIVE_JOB_STATES | {JobState.FAILED}


def test_a_job_can_be_paused_in_every_working_state_and_return_there():
    """Where it returns to is a step of the table, for paused jobs and for failed ones."""
    for state in LIVE_JOB_STATES - {JobState.PAUSED}:
        assert JobState.PAUSED in JOB_TRANSITIONS[state]
        assert return_state(state) in JOB_TRANSITIONS[JobState.PAUSED] & JOB_TRANSITIONS[JobState.FAILED]


def test_waiting_and_in_flight_are_apart():
    assert not WAITING & IN_FLIGHT
    assert all(ChunkState.OFFERED in CHUNK_TRANSITIONS[state] for state in WAITING)


@pytest.mark.parametrize("old", JobState)
@pytest.mark.parametrize("new", JobState)
def test_the_store_takes_every_job_step_of_the_table_and_no_other(store, old, new):
    """Walk the whole table on a real database."""
    store.add_job(a_job(state=old))
    if new in JOB_TRANSITIONS[old]:
        store.move_job("j1", old, new)
        assert store.job("j1").state == new
        assert [(event.old_state, event.new_state) for event in store.events("j1")] == [(old, new)]
    else:
        with pytest.raises(StaleTransition):
            store.move_job("j1", old, new)
        assert store.job("j1").state == old
        assert store.events("j1") == []


@pytest.mark.parametrize("old", ChunkState)
@pytest.mark.parametrize("new", ChunkState)
def test_the_store_takes_every_chunk_step_of_the_table_and_no_other(store, old, new):
    """Walk the whole table on a real database."""
    store.add_job(a_job())
    (chunk,) = some_chunks("j1", 1)
    chunk.state = old
    store.replace_chunks("j1", [chunk])
    (row,) = store.chunks("j1")
    if new in CHUNK_TRANSITIONS[old]:
        assert store.move_chunk(row, new)
        assert store.chunks("j1")[0].state == new
    else:
        with pytest.raises(StaleTransition):
            store.move_chunk(row, new)
