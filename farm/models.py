"""The rows of the job store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from farm.states import ChunkState, JobState


class Row(DeclarativeBase):
    """The root of every row."""

    type_annotation_map = {dict[str, Any]: JSON, dict[str, str]: JSON, list[str]: JSON, list[int]: JSON}  # noqa: RUF012 - SQLAlchemy's own name


class Job(Row):
    """One submitted video and its settings. Times are Unix seconds."""

    __tablename__ = "job"

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=JobState.SUBMITTED, index=True)
    created_at: Mapped[float]
    rendering_at: Mapped[float | None]
    rendered_at: Mapped[float | None]
    first_frame_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    stage: Mapped[str] = mapped_column(Text, default="")
    input_path: Mapped[str] = mapped_column(Text)
    output_path: Mapped[str] = mapped_column(Text)
    source_path: Mapped[str | None] = mapped_column(Text)
    engine: Mapped[str]
    request: Mapped[dict[str, Any]]
    media: Mapped[dict[str, Any]]
    target: Mapped[dict[str, Any]]
    chunk_seconds: Mapped[float]
    radius: Mapped[int] = mapped_column(default=0)
    num_frames: Mapped[int] = mapped_column(default=0)
    notes: Mapped[list[str]]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    error_hint: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[float | None]
    cleaned: Mapped[bool] = mapped_column(
        default=False
    )  # holds nothing in Redis that its state does not need

    priority: Mapped[int] = mapped_column(default=0, server_default="0")  # higher goes first
    admitted_at: Mapped[float | None]  # when it left the queue
    last_offer_at: Mapped[float | None]  # of any of its chunks
    came_from: Mapped[str | None]  # the state that a paused or failed job returns to
    pause_code: Mapped[str | None]  # "asked" or "disk-full"; None: it is not paused
    pause_reason: Mapped[str | None] = mapped_column(Text)
    pause_path: Mapped[str | None] = mapped_column(Text)  # where the disk is full
    pause_bytes: Mapped[int | None] = mapped_column(BigInteger)  # what must be free there
    paused_at: Mapped[float | None]
    stranded_at: Mapped[float | None]  # since when every live worker is blocked for it
    models: Mapped[dict[str, str] | None]  # SHA-256 digests of all weights that it uses, by name
    fingerprint: Mapped[dict[str, str] | None]  # what made the plan: `broker.fingerprint`

    # Sums over the chunks, kept by whoever moves one, in the same transaction: no list and no round of the
    # reconciler may cost more for a job of a million chunks than for one of ten.
    num_chunks: Mapped[int] = mapped_column(default=0, server_default="0")
    num_in_flight: Mapped[int] = mapped_column(default=0, server_default="0")
    num_rendered: Mapped[int] = mapped_column(default=0, server_default="0")
    num_failed: Mapped[int] = mapped_column(default=0, server_default="0")
    num_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    frames_rendered: Mapped[int] = mapped_column(default=0, server_default="0")
    frames_fused: Mapped[int] = mapped_column(default=0, server_default="0")
    rendered_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    num_paces: Mapped[int] = mapped_column(default=0, server_default="0")  # chunks in the next two sums
    pace_sum: Mapped[float] = mapped_column(default=0.0, server_default="0")  # of seconds per frame
    pace_sq_sum: Mapped[float] = mapped_column(default=0.0, server_default="0")  # of their squares

    __table_args__ = (
        Index("job_by_cleaned", "cleaned", "state"),
        Index("job_by_age", "created_at"),
    )

    @property
    def num_waiting(self) -> int:
        """Return how many chunks have yet to be offered, or offered again."""
        return self.num_chunks - self.num_in_flight - self.num_rendered - self.num_failed


class Chunk(Row):
    """A contiguous range of a job's frames, `[start, end)`."""

    __tablename__ = "chunk"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    end: Mapped[int]
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default=ChunkState.PLANNED)
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)  # attempts that count against it; lost messages do not
    worker: Mapped[str | None]
    offered_at: Mapped[float | None]
    not_before: Mapped[float] = mapped_column(default=0.0)
    num_fused: Mapped[int] = mapped_column(default=0)
    render_s: Mapped[float | None]
    failed_on: Mapped[list[str] | None]  # workers that it is to be kept from
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("chunk_by_state", "job_id", "state", "index"),)


class Event(Row):
    """One change of state, kept for whoever asks what happened."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    chunk_index: Mapped[int | None]
    at: Mapped[float]
    old_state: Mapped[str]
    new_state: Mapped[str]
    attempt: Mapped[int | None]
    worker: Mapped[str | None]
    detail: Mapped[str] = mapped_column(Text, default="")


class JobWorker(Row):
    """What a job has against a worker: kept until the job ends, or the worker has been gone for long."""

    __tablename__ = "job_worker"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    worker: Mapped[str] = mapped_column(primary_key=True)
    failed: Mapped[list[int]]  # chunks that failed on it, at most as many as a block takes
    blocked_at: Mapped[float | None]  # Unix seconds; None: it is not blocked
    code: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(Text)
    gone_at: Mapped[float | None]  # when it was first missed


class SchemaVersion(Row):
    """Which numbered change of `farm.database` this database has; one row."""

    __tablename__ = "schema_version"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
