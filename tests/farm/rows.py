"""Rows for tests of the store."""

from farm.models import Chunk, Job
from farm.states import ChunkState

#: How a job's output is written, as the store keeps it.
TARGET = {
    "container": "mp4",
    "codec": "h264",
    "reorder": 2,
    "encode": {"codec": "libx264", "pix_fmt": "yuv420p", "options": {}},
    "notes": [],
}


def a_job(job_id: str = "j1", **fields: object) -> Job:
    values = {
        "id": job_id,
        "created_at": 1.0,
        "input_path": "/in.mp4",
        "output_path": "/out.mp4",
        "engine": "passthrough",
        "request": {},
        "media": {},
        "target": TARGET,
        "chunk_seconds": 5.0,
        "notes": [],
        **fields,
    }
    return Job(**values)


def some_chunks(job_id: str, count: int, length: int = 10) -> list[Chunk]:
    return [
        Chunk(
            job_id=job_id,
            index=index,
            start=index * length,
            end=(index + 1) * length,
            num_bytes=100,
            state=ChunkState.PLANNED,
            attempt=0,
            failures=0,
        )
        for index in range(count)
    ]
