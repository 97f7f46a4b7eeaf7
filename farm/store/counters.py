"""A job's sums over its chunks, and how one step of one chunk changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farm.models import Chunk, Job
from farm.states import IN_FLIGHT, ChunkState


@dataclass(frozen=True, slots=True)
class ChunkTotals:
    """Sums over a job's chunks."""

    num_chunks: int
    num_rendered: int
    frames_rendered: int
    frames_fused: int
    attempts: int

    @classmethod
    def of(cls, job: Job) -> ChunkTotals:
        """Return what the job's row says."""
        return cls(job.num_chunks, job.num_rendered, job.frames_rendered, job.frames_fused, job.num_attempts)


#: What a job's sums are before any of its chunks has moved.
ZEROS: dict[str, Any] = {
    "num_in_flight": 0,
    "num_rendered": 0,
    "num_failed": 0,
    "num_attempts": 0,
    "frames_rendered": 0,
    "frames_fused": 0,
    "rendered_bytes": 0,
    "num_paces": 0,
    "pace_sum": 0.0,
    "pace_sq_sum": 0.0,
}


def changes(chunk: Chunk, new: ChunkState, fields: Mapping[str, Any], output_bytes: int) -> dict[str, Any]:
    """Return what to add to the job's columns when `chunk` moves to `new` with `fields`."""
    old = ChunkState(chunk.state)
    added: dict[str, Any] = {
        "num_in_flight": (new in IN_FLIGHT) - (old in IN_FLIGHT),
        "num_failed": (new == ChunkState.FAILED) - (old == ChunkState.FAILED),
        "num_attempts": fields.get("attempt", chunk.attempt) - chunk.attempt,
    }
    if new == ChunkState.RENDERED:
        added |= _rendered(chunk, fields, output_bytes)
    return {name: number for name, number in added.items() if number}


def _rendered(chunk: Chunk, fields: Mapping[str, Any], output_bytes: int) -> dict[str, Any]:
    num_frames = chunk.end - chunk.start
    render_s = fields.get("render_s")
    pace = 0.0 if render_s is None else render_s / num_frames
    return {
        "num_rendered": 1,
        "frames_rendered": num_frames,
        "frames_fused": fields.get("num_fused", 0),
        "rendered_bytes": output_bytes,
        "num_paces": int(render_s is not None),
        "pace_sum": pace,
        "pace_sq_sum": pace * pace,
    }
