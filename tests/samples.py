"""Values that several tests speak of."""

from __future__ import annotations

from broker.messages import ChunkFailed, ChunkRendered

RENDERED = ChunkRendered(
    job_id="job",
    index=0,
    attempt=1,
    worker="w1",
    num_frames=120,
    num_fused=80,
    num_parts=2,
    num_bytes=5,
    sha256="ab" * 32,
    render_s=1.5,
    notes=("software decoder", "half the batch"),
)
FAILED = ChunkFailed(
    job_id="job", index=0, attempt=1, worker="w1", code="decode-mismatch", message="119 of 120"
)
