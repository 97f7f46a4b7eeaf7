"""How databases of earlier versions are brought up to date: a numbered list of changes, each made once."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from farm.errors import FarmError
from farm.models import Row

#: Changes by the version that they lead to. The SQL is the change's own, and never follows the models: what
#: was true of version 2 stays true. Both SQLite and PostgreSQL take it, with the word of `_AS_JSON`.
MIGRATIONS: dict[int, tuple[str, ...]] = {
    # Steering: priorities, pauses, sums over chunks in the job's row.
    2: (
        "ALTER TABLE job ADD COLUMN priority INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN admitted_at DOUBLE PRECISION",
        "ALTER TABLE job ADD COLUMN last_offer_at DOUBLE PRECISION",
        "ALTER TABLE job ADD COLUMN came_from VARCHAR",
        "ALTER TABLE job ADD COLUMN pause_code VARCHAR",
        "ALTER TABLE job ADD COLUMN pause_reason TEXT",
        "ALTER TABLE job ADD COLUMN pause_path TEXT",
        "ALTER TABLE job ADD COLUMN pause_bytes BIGINT",
        "ALTER TABLE job ADD COLUMN paused_at DOUBLE PRECISION",
        "ALTER TABLE job ADD COLUMN num_chunks INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN num_in_flight INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN num_rendered INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN num_failed INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN num_attempts INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN frames_rendered INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN frames_fused INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN rendered_bytes BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN num_paces INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN pace_sum DOUBLE PRECISION DEFAULT 0 NOT NULL",
        "ALTER TABLE job ADD COLUMN pace_sq_sum DOUBLE PRECISION DEFAULT 0 NOT NULL",
        "CREATE INDEX job_by_cleaned ON job (cleaned, state)",
        "CREATE INDEX job_by_age ON job (created_at)",
        """UPDATE job SET
             num_chunks = (SELECT count(*) FROM chunk WHERE job_id = job.id),
             num_in_flight = (SELECT count(*) FROM chunk WHERE job_id = job.id
                              AND state IN ('offered', 'leased')),
             num_rendered = (SELECT count(*) FROM chunk WHERE job_id = job.id AND state = 'rendered'),
             num_failed = (SELECT count(*) FROM chunk WHERE job_id = job.id AND state = 'failed'),
             num_attempts = (SELECT coalesce(sum(attempt), 0) FROM chunk WHERE job_id = job.id),
             frames_rendered = (SELECT coalesce(sum("end" - start), 0) FROM chunk
                                WHERE job_id = job.id AND state = 'rendered'),
             frames_fused = (SELECT coalesce(sum(num_fused), 0) FROM chunk
                             WHERE job_id = job.id AND state = 'rendered')""",
        """UPDATE job SET
             num_paces = (SELECT count(render_s) FROM chunk WHERE job_id = job.id AND state = 'rendered'),
             pace_sum = (SELECT coalesce(sum(render_s / ("end" - start)), 0) FROM chunk
                         WHERE job_id = job.id AND state = 'rendered'),
             pace_sq_sum = (SELECT coalesce(sum(render_s / ("end" - start) * (render_s / ("end" - start))), 0)
                            FROM chunk WHERE job_id = job.id AND state = 'rendered')""",
    ),
    # A request's x264 preset is called that: `preset` alone is one of the fusion's.
    3: (
        """UPDATE job SET
             request = (replace(CAST(request AS TEXT), '"preset":', '"encoder_preset":'))AS_JSON""",
    ),
    # Rules for workers: whom a chunk has failed on, what made the plan, who is blocked (a table of its own).
    4: (
        "ALTER TABLE chunk ADD COLUMN failed_on JSON",
        "ALTER TABLE job ADD COLUMN stranded_at DOUBLE PRECISION",
        "ALTER TABLE job ADD COLUMN fingerprint JSON",
    ),
    # Which weights a job uses.
    5: ("ALTER TABLE job ADD COLUMN models JSON",),
}

#: What makes JSON of text; SQLite keeps it as text.
_AS_JSON = {"postgresql": "::json", "sqlite": ""}

#: The version of a database without a number: the first that was ever made.
FIRST = 1
LATEST = max(MIGRATIONS)

#: One process at a time changes a PostgreSQL database; any number that no other program uses will do.
_LOCK = 0x6661726D


def migrate(connection: Connection) -> None:
    """Make the tables, or bring those of an earlier version up to this one, in the caller's transaction.

    Raises:
        FarmError: the database was made by a later version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    version = _version(connection)
    if version is not None and version > LATEST:
        raise FarmError(
            f"the database has version {version}, and this farm knows {LATEST} at most",
            code="database-too-new",
            hint="run the version of the farm that made it",
        )
    if version is not None:
        for number in range(version + 1, LATEST + 1):
            for statement in MIGRATIONS[number]:
                connection.execute(text(statement.replace("AS_JSON", _AS_JSON[connection.dialect.name])))
    Row.metadata.create_all(connection)
    if version != LATEST:
        connection.execute(text("DELETE FROM schema_version"))
        connection.execute(text("INSERT INTO schema_version VALUES (:version)"), {"version": LATEST})


def _version(connection: Connection) -> int | None:
    """Return the database's version; None if it is empty."""
    tables = set(inspect(connection).get_table_names())
    if "schema_version" in tables:
        found: int | None = connection.scalar(text("SELECT max(version) FROM schema_version"))
        if found is not None:
            return found
    return FIRST if "job" in tables else None
