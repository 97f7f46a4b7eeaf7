"""What the API takes and gives; shared by the service and its client."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from farm.states import ChunkState, JobState


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class JobRequest(_Body):
    """A job to be done. Paths are absolute, on the farm's own machine."""

    input: str
    """The video."""
    output: str
    """Where the finished video goes; its extension chooses the container."""
    source: str | None = None
    """The portrait whose face is fused in; `passthrough` needs none."""
    engine: str = "portrait"
    """How faces are changed: `portrait`, or `passthrough` for none."""
    source_face: int | None = Field(default=None, ge=0)
    """Which face of the portrait, counted from the left from 0; by default the largest."""
    faces: Literal["all", "largest"] = "all"
    """Which faces of a frame are changed."""
    lossless: bool = False
    """FFV1 instead of H.264: for checking, frame for frame."""
    crf: int = Field(default=18, ge=0, le=51)
    """H.264 constant quality; lower is better and larger."""
    preset: str = "medium"
    """x264's speed: ultrafast … veryslow."""
    chunk_seconds: float | None = Field(default=None, gt=0, le=600)
    """Length of a chunk; by default the farm's own."""
    require_face: bool = False
    """Fail, rather than warn, when no frame has a face."""
    overwrite: bool = False
    """Replace the output if it is there."""


class ErrorView(_Body):
    """Why something failed, and what would help."""

    code: str
    message: str
    hint: str = ""


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


class JobView(_Body):
    """A job as a user sees it."""

    job: str
    state: JobState
    input: str
    output: str
    engine: str
    created_at: float
    """Unix seconds."""
    seconds: float
    """From submission until now, or until the end."""
    stage: str
    """What is being done now, in words: "indexing 40 %"."""
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
    first_frame_s: float | None
    """From submission to the first rendered frame."""
    notes: list[str]
    """Warnings: a face chosen of several, a track that could not be kept."""
    running: list[RunningChunk]
    error: ErrorView | None


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


class FarmView(_Body):
    """The farm's health."""

    version: str
    database: str
    """"ok", or what is wrong."""
    redis: str
    workers: int
    window_bytes: int
    window_used_bytes: int
