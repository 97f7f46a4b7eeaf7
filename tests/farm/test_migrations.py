"""Databases of earlier versions: opened, brought up to date once, with nothing lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from farm.database import open_database
from farm.errors import FarmError
from farm.migrations import LATEST
from farm.models import Row
from farm.states import ChunkState, JobState
from farm.store import JobStore
from tests.farm.rows import a_job, some_chunks

#: The tables as the first version made them, and must stay here as they were.
FIRST = """
CREATE TABLE job (
  id VARCHAR NOT NULL PRIMARY KEY, state VARCHAR NOT NULL, created_at DOUBLE PRECISION NOT NULL,
  rendering_at DOUBLE PRECISION, rendered_at DOUBLE PRECISION, first_frame_at DOUBLE PRECISION,
  finished_at DOUBLE PRECISION, stage TEXT NOT NULL, input_path TEXT NOT NULL, output_path TEXT NOT NULL,
  source_path TEXT, engine VARCHAR NOT NULL, request JSON NOT NULL, media JSON NOT NULL, target JSON NOT NULL,
  chunk_seconds DOUBLE PRECISION NOT NULL, radius INTEGER NOT NULL, num_frames INTEGER NOT NULL,
  notes JSON NOT NULL, error_code VARCHAR, error_message TEXT, error_hint TEXT, checked_at DOUBLE PRECISION,
  cleaned BOOLEAN NOT NULL);
CREATE INDEX ix_job_state ON job (state);
CREATE TABLE chunk (
  job_id VARCHAR NOT NULL REFERENCES job (id) ON DELETE CASCADE, "index" INTEGER NOT NULL,
  start INTEGER NOT NULL, "end" INTEGER NOT NULL, num_bytes BIGINT NOT NULL, state VARCHAR NOT NULL,
  attempt INTEGER NOT NULL, failures INTEGER NOT NULL, worker VARCHAR, offered_at DOUBLE PRECISION,
  not_before DOUBLE PRECISION NOT NULL, num_fused INTEGER NOT NULL, render_s DOUBLE PRECISION, error TEXT,
  PRIMARY KEY (job_id, "index"));
CREATE INDEX chunk_by_state ON chunk (job_id, state, "index");
CREATE TABLE event (
  id {serial} NOT NULL PRIMARY KEY, job_id VARCHAR NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  chunk_index INTEGER, at DOUBLE PRECISION NOT NULL, old_state VARCHAR NOT NULL, new_state VARCHAR NOT NULL,
  attempt INTEGER, worker VARCHAR, detail TEXT NOT NULL);
CREATE INDEX ix_event_job_id ON event (job_id);
INSERT INTO job VALUES ('j1', 'rendering', 1.0, 2.0, NULL, NULL, NULL, 'rendering', '/in', '/out', NULL,
  'passthrough', '{{"preset": "slow"}}', '{{}}', '{{}}', 5.0, 0, 40, '[]', NULL, NULL, NULL, NULL, {false});
INSERT INTO chunk VALUES ('j1', 0, 0, 10, 100, 'rendered', 2, 1, 'w', 3.0, 0.0, 7, 5.0, NULL);
INSERT INTO chunk VALUES ('j1', 1, 10, 20, 100, 'leased', 1, 0, 'w', 3.0, 0.0, 0, NULL, NULL);
INSERT INTO chunk VALUES ('j1', 2, 20, 30, 100, 'failed', 3, 3, 'w', 3.0, 0.0, 0, NULL, 'x');
INSERT INTO chunk VALUES ('j1', 3, 30, 40, 100, 'planned', 0, 0, NULL, NULL, 0.0, 0, NULL, NULL);
INSERT INTO event (job_id, at, old_state, new_state, detail) VALUES ('j1', 1.0, 'submitted', 'indexing', '');
"""


def bare_engine(url: str):
    parsed = make_url(url)
    return create_engine(
        parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed
    )


@pytest.fixture
def old_url(database_url):
    """A database that the first version made, in the middle of a job."""
    engine = bare_engine(database_url)
    is_sqlite = engine.dialect.name == "sqlite"
    script = FIRST.format(serial="INTEGER" if is_sqlite else "SERIAL", false="0" if is_sqlite else "false")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS schema_version"))
        for statement in script.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    return database_url


@pytest.fixture
def opened(old_url):
    engine = open_database(old_url)
    yield engine
    engine.dispose()


def test_an_old_database_has_all_that_a_new_one_has(opened):
    """Columns and indexes, table by table, against the models."""
    found = inspect(opened)
    for table in Row.metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        assert {index.name for index in table.indexes} <= {
            index["name"] for index in found.get_indexes(table.name)
        }


def test_sums_are_counted_once_from_the_chunks(opened):
    job = JobStore(opened).job("j1")
    assert (job.num_chunks, job.num_waiting, job.num_in_flight, job.num_rendered, job.num_failed) == (
        4, 1, 1, 1, 1,
    )  # fmt: skip
    assert (job.num_attempts, job.frames_rendered, job.frames_fused) == (6, 10, 7)
    assert (job.num_paces, job.pace_sum, job.pace_sq_sum) == (1, 0.5, 0.25)
    assert (job.priority, job.cleaned, job.pause_code) == (0, False, None)
    assert len(JobStore(opened).events("j1")) == 1


def test_a_request_calls_its_x264_preset_by_the_new_name(opened):
    assert JobStore(opened).job("j1").request == {"encoder_preset": "slow"}


def test_the_job_of_an_old_database_goes_on(opened):
    """Its rows can be moved, and new jobs can be written beside it."""
    store = JobStore(opened)
    leased = store.chunks("j1", {ChunkState.LEASED})[0]
    assert store.move_chunk(leased, ChunkState.RENDERED, render_s=1.0)
    assert store.job("j1").num_rendered == 2
    store.move_job("j1", JobState.RENDERING, JobState.PAUSED, came_from="rendering", pause_code="asked")
    store.add_job(a_job("j2"))
    store.replace_chunks("j2", some_chunks("j2", 2))
    assert store.job("j2").num_waiting == 2


def test_opened_again_and_by_many_at_once_nothing_changes(old_url):
    """Processes of one farm start together: one makes the change, the others find it made."""

    def version(_: int) -> int:
        engine = open_database(old_url)
        with engine.connect() as connection:
            found = connection.scalars(text("SELECT version FROM schema_version")).all()
        engine.dispose()
        assert len(found) == 1
        return found[0]

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(version, range(6))) == {LATEST}


def test_a_database_of_a_later_version_is_left_alone(database_url):
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version = :version"), {"version": LATEST + 1})
    engine.dispose()
    with pytest.raises(FarmError) as caught:
        open_database(database_url)
    assert caught.value.code == "database-too-new"
