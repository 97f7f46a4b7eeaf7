"""What the API gives; shared by the service and its client."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from farm.states import ChunkState, JobState

#: What a job's numbers count: a video's frames, or pictures.
Unit = Literal["frame", "picture"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ErrorView(_Body):
    """Why something failed, and what would help."""

    code: str
    message: str
    hint: str = ""


class PauseView(_Body):
    """Why a job is paused."""

    code: Literal["asked", "disk-full"]
    """Of these, "disk-full" ends by itself when there is space."""
    reason: str
    """In words; empty if its user asked for it."""


class FailedChunk(_Body):
    """A chunk that was given up."""

    index: int
    start: int
    end: int
    """Frames are [start, end)."""
    attempts: int
    """Attempts that counted against it."""
    error: str
    """What the last one's worker said, or what became of it."""


class RunningChunk(_Body):
    """A chunk that a worker holds now."""

    index: int
    start: int
    end: int
    attempt: int
    worker: str
    num_frames: int
    """Frames of it done so far."""
    stage: str
    still_s: float = 0.0
    """Seconds since its last new frame."""


class BlockedWorker(_Body):
    """A worker that does not get a job's chunks; `farm unblock JOB WORKER` lets it have them again."""

    worker: str
    code: str
    """"failures", or "other-build"."""
    reason: str
    at: float
    """Unix seconds."""


class OutputView(_Body):
    """One of a job's outputs."""

    path: str
    encoder: str
    """FFmpeg's name of what it is encoded with."""
    pix_fmt: str
    fps: str | None
    """Frames a second; None: at the input's own times."""


class JobView(_Body):
    """A job as a user sees it."""

    job: str
    state: JobState
    input: str
    output: str
    """The first of `outputs`."""
    outputs: list[OutputView] = Field(default_factory=list)
    engine: str
    created_at: float
    """Unix seconds."""
    seconds: float
    """From submission until now, or until the end."""
    stage: str
    """What is being done now, in words: "indexing 40 %"."""
    unit: Unit = "frame"
    """What everything called frames here counts."""
    frames: int
    """Frames in the input; 0 until it is indexed."""
    frames_done: int
    """Frames rendered, those in running chunks included."""
    frames_fused: int
    """Frames in which a face was changed, of the chunks collected."""
    chunks: int
    chunks_done: int
    attempts: int
    """Attempts made at all chunks together."""
    fps: float | None
    """Frames done per second of rendering."""
    eta_s: float | None
    eta_error_s: float | None = None
    """Half the width of the interval around `eta_s` that should hold 19 times in 20."""
    first_frame_s: float | None
    """From submission to the first rendered frame."""
    models: dict[str, str] = Field(default_factory=dict)
    """SHA-256 digests of all weights that it uses, by name, once a worker has opened them."""
    notes: list[str]
    """Warnings: a face chosen of several, a track that could not be kept."""
    running: list[RunningChunk]
    error: ErrorView | None
    priority: int = 0
    pause: PauseView | None = None
    """Why it is paused, if it is."""
    chunks_failed: int = 0
    failed: list[FailedChunk] = Field(default_factory=list)
    """The first chunks that were given up."""
    blocked: list[BlockedWorker] = Field(default_factory=list)
    """Workers that do not get its chunks."""
    can_retry: bool = False
    """Whether `retry` would take it up where it failed."""


class ChunkView(_Body):
    """A chunk of a job."""

    index: int
    start: int
    end: int
    state: ChunkState
    attempt: int
    worker: str | None
    render_s: float | None
    error: str | None


class WorkerView(_Body):
    """A worker that lives."""

    worker: str
    host: str
    pid: int
    device: str
    state: str
    engines: list[str]
    job: str | None
    chunk: int | None
    fps: float | None
    plan: str
    """What its engines do with the device's memory, in one line; empty where none plans it."""
    memory_bytes: int = 0
    """What it takes: of its GPU what torch's allocator holds, on a CPU its resident set; 0: nobody says."""
    memory_peak_bytes: int = 0
    """The most that it took since it began."""
    memory_limit_bytes: int = 0
    """What its engines may take; 0: as much as there is."""
    memory_moves: int = 0
    """How often a network's or a layer's weights came back from host memory since it began."""
    memory_moved_bytes: int = 0
    note: str = ""
    """Why it leaves, where it was not asked to."""
    blocked_for: list[str] = Field(default_factory=list)
    """Jobs whose chunks it does not get."""


class FarmView(_Body):
    """The farm's health."""

    version: str
    database: str
    """"ok", or what is wrong."""
    redis: str
    workers: int
    window_bytes: int
    window_used_bytes: int


class PathView(_Body):
    """A file, or a directory and all that is in it."""

    path: str
    num_bytes: int


class DeletionView(_Body):
    """What deleting a job removes, or has removed."""

    job: str
    is_done: bool
    """False: this only says what would go."""
    rows: dict[str, int]
    """Rows of the database, by table."""
    paths: list[PathView]
    """Files and directories."""
    redis_keys: int
    """Segments, offers and results in Redis."""


class CheckView(_Body):
    """What a job would be, and what speaks against it."""

    ok: bool
    problems: list[str]
    """What keeps it from being done now."""
    notes: list[str]
    """What could not be looked at, and what the output cannot keep."""
    unit: Unit = "frame"
    """What `frames` counts."""
    frames: int | None
    """About; None where the header does not say how long the video is."""
    chunks: int | None
    spool_bytes: int | None
    """About what finished chunks take until they are stitched; the output takes as much again."""
    spool_free_bytes: int
    output_free_bytes: int
    render_s: float | None
    """About how long rendering takes on the workers that are up."""
    render_error_s: float | None
    """Half the width of the interval around `render_s` that should hold 19 times in 20."""
    measured_jobs: int
    """Earlier jobs of the same engine, picture size and output that this rests on; 0: no measurement yet."""
    workers: int
    faces: int | None
    """Faces in the portrait; None: it was not looked at."""
