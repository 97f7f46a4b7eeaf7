"""The job store: compare-and-set, totals, what is unfinished. On SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from farm.errors import JobNotFound, StaleTransition
from farm.states import ChunkState, JobState
from tests.farm.rows import a_job, some_chunks


def test_unknown_job(store):
    with pytest.raises(JobNotFound):
        store.job("nobody")


def test_one_of_many_wins_a_job_step(store):
    """Of twenty threads that move a job at once, one succeeds, and one event is written."""
    store.add_job(a_job())

    def move(_: int) -> bool:
        try:
            store.move_job("j1", JobState.SUBMITTED, JobState.INDEXING)
        except StaleTransition:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(move, range(20))) == 1
    assert len(store.events("j1")) == 1


def test_one_of_many_wins_a_chunk_step(store):
    """The attempt is part of the comparison: an old view of a chunk cannot move it."""
    store.add_job(a_job())
    store.replace_chunks("j1", some_chunks("j1", 1))
    (chunk,) = store.chunks("j1")
    with ThreadPoolExecutor(20) as pool:
        wins = pool.map(lambda _: store.move_chunk(chunk, ChunkState.OFFERED, attempt=1), range(20))
        assert sum(wins) == 1
    (now,) = store.chunks("j1")
    assert (now.state, now.attempt) == (ChunkState.OFFERED, 1)


def test_a_chunk_offered_anew_is_not_moved_by_the_old_attempt(store):
    store.add_job(a_job())
    store.replace_chunks("j1", some_chunks("j1", 1))
    (chunk,) = store.chunks("j1")
    assert store.move_chunk(chunk, ChunkState.OFFERED, attempt=1)
    (first,) = store.chunks("j1")
    assert store.move_chunk(first, ChunkState.SOFT_FAILED)
    (failed,) = store.chunks("j1")
    assert store.move_chunk(failed, ChunkState.OFFERED, attempt=2)
    assert not store.move_chunk(first, ChunkState.RENDERED)
    assert store.chunks("j1")[0].state == ChunkState.OFFERED


def test_totals(store):
    store.add_job(a_job())
    store.replace_chunks("j1", some_chunks("j1", 3))
    for chunk in store.chunks("j1", limit=2):
        store.move_chunk(chunk, ChunkState.OFFERED, attempt=2)
    chunk = store.chunks("j1")[1]
    store.move_chunk(chunk, ChunkState.RENDERED, num_fused=7)
    totals = store.totals("j1")
    assert (totals.num_chunks, totals.num_rendered) == (3, 1)
    assert (totals.frames_rendered, totals.frames_fused, totals.attempts) == (10, 7, 4)


def test_due_jobs_are_under_way_not_yet_clean_or_short_of_space(store):
    """Neither queued jobs, nor those that their user paused, cost a round anything."""
    store.add_job(a_job("queued"))
    store.add_job(a_job("live", state=JobState.RENDERING))
    store.add_job(a_job("over", state=JobState.DONE))
    store.add_job(a_job("clean", state=JobState.FAILED, cleaned=True))
    store.add_job(a_job("held", state=JobState.PAUSED, pause_code="asked", cleaned=True))
    store.add_job(a_job("full", state=JobState.PAUSED, pause_code="disk-full", cleaned=True))
    assert set(store.due_jobs()) == {"live", "over", "full"}


def test_the_queue_is_ordered_by_priority_and_age(store):
    """A step of priority outweighs an hour of waiting, and no more."""
    store.add_job(a_job("old", created_at=0.0))
    store.add_job(a_job("older", created_at=-4000.0))
    store.add_job(a_job("new", created_at=3000.0, priority=1))
    assert store.first_in_queue(3) == ["older", "new", "old"]


def test_notes_are_kept_once(store):
    store.add_job(a_job())
    for note in ("one", "two", "one"):
        store.add_note("j1", note)
    assert store.job("j1").notes == ["one", "two"]


def test_sums_follow_every_step_of_a_chunk(store):
    """In flight, rendered, failed and waiting are right after each of them, and a retry begins anew."""
    store.add_job(a_job())
    store.replace_chunks("j1", some_chunks("j1", 3))

    def counts():
        job = store.job("j1")
        return job.num_waiting, job.num_in_flight, job.num_rendered, job.num_failed

    assert counts() == (3, 0, 0, 0)
    for chunk in store.chunks("j1"):
        store.move_chunk(chunk, ChunkState.OFFERED, attempt=1)
    assert counts() == (0, 3, 0, 0)
    taken, rendered, failed = store.chunks("j1")
    store.move_chunk(taken, ChunkState.PLANNED)
    store.move_chunk(rendered, ChunkState.RENDERED, render_s=5.0, output_bytes=70)
    store.move_chunk(failed, ChunkState.FAILED, failures=3)
    assert counts() == (1, 0, 1, 1)
    job = store.job("j1")
    assert (job.rendered_bytes, job.num_paces, job.pace_sum, job.pace_sq_sum) == (70, 1, 0.5, 0.25)
    assert store.retry_chunks("j1") == 1
    assert counts() == (2, 0, 1, 0)
    assert [chunk.failures for chunk in store.chunks("j1")] == [0, 0, 0]


def test_a_deleted_job_leaves_no_row(store):
    store.add_job(a_job())
    store.replace_chunks("j1", some_chunks("j1", 3))
    store.move_chunk(store.chunks("j1")[0], ChunkState.OFFERED, attempt=1)
    assert store.num_rows("j1") == {"chunk": 3, "event": 1, "job_worker": 0}
    store.delete_job("j1")
    assert store.num_rows("j1") == {"chunk": 0, "event": 0, "job_worker": 0}
    with pytest.raises(JobNotFound):
        store.job("j1")


def test_jobs_come_newest_first(store):
    for number in range(3):
        store.add_job(a_job(f"j{number}", created_at=float(number)))
    assert [job.id for job in store.jobs(limit=2)] == ["j2", "j1"]


def test_a_long_job_is_planned_canceled_and_deleted_in_steps(store, monkeypatch):
    """Between any two of them others can write; a job beside it keeps its rows."""
    import farm.store.chunks
    import farm.store.jobs

    for module in (farm.store.chunks, farm.store.jobs):
        monkeypatch.setattr(module, "BATCH", 10)
    breaths = []

    def breathe() -> None:
        store.update_job("j2", stage=str(len(breaths)))
        breaths.append(None)

    store.add_job(a_job())
    store.add_job(a_job("j2"))
    for job_id, count in (("j1", 35), ("j2", 12), ("j1", 25)):
        store.replace_chunks(job_id, some_chunks(job_id, count), breathe)
    assert (store.totals("j1").num_chunks, len(store.chunks("j1"))) == (25, 25)
    assert len(breaths) == 3 + 1 + 3 + 2, "written, and the old ones deleted"
    for chunk in store.chunks("j1"):
        assert store.move_chunk(chunk, ChunkState.OFFERED, attempt=1)
    store.cancel_chunks("j1", breathe)
    assert {chunk.state for chunk in store.chunks("j1")} == {ChunkState.CANCELED}
    store.delete_events("j1", breathe)
    store.delete_chunks("j1", breathe)
    assert len(breaths) == 9 + 2 + 2 + 2
    assert store.num_rows("j1") == {"chunk": 0, "event": 0, "job_worker": 0}
    assert store.num_rows("j2")["chunk"] == 12
    store.delete_job("j1")
    assert [job.id for job in store.jobs()] == ["j2"]


def test_all_chunks_are_planned_again_in_steps(store, monkeypatch):
    """Their attempts go on from where they were, and no row is missing at any time."""
    import farm.store.chunks

    monkeypatch.setattr(farm.store.chunks, "BATCH", 10)
    store.add_job(a_job())
    store.replace_chunks("j1", some_chunks("j1", 25))
    for chunk in store.chunks("j1"):
        assert store.move_chunk(chunk, ChunkState.OFFERED, attempt=2, worker="w0")
    before = [(chunk.index, chunk.start, chunk.end) for chunk in store.chunks("j1")]
    seen = []
    store.plan_again("j1", lambda: seen.append(len(store.chunks("j1"))))
    after = store.chunks("j1")
    assert [(chunk.index, chunk.start, chunk.end) for chunk in after] == before
    assert {(chunk.state, chunk.attempt, chunk.worker) for chunk in after} == {(ChunkState.PLANNED, 2, None)}
    assert (store.totals("j1").num_chunks, store.totals("j1").attempts) == (25, 0)
    assert seen == [25, 25]
