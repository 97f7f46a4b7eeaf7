"""What tests of the reconciler do with a simulated farm."""

from __future__ import annotations

from pathlib import Path

from bench.judge import frame_md5s
from broker.messages import ChunkFailed, RenderChunk
from farm.states import JobState


def assert_exact(job, clip, simulation):
    assert (job.state, job.error_message) == (JobState.DONE, None)
    assert frame_md5s(Path(job.output_path)) == frame_md5s(clip)
    simulation.advance(job.id)
    assert simulation.is_clean(job.id)


def start(simulation, request_) -> str:
    """Submit, and advance until chunks are offered."""
    job_id = simulation.submit(**request_)
    simulation.advance(job_id)
    simulation.deliver()
    simulation.advance(job_id)
    return job_id


def fail_always(simulation, job_id: str, poisoned: set[int], *, limit: int = 200) -> None:
    """Run a job whose `poisoned` chunks fail at every attempt, until it has ended."""
    for _ in range(limit):
        simulation.advance(job_id)
        if simulation.job(job_id).state in {JobState.FAILED, JobState.DONE}:
            return
        if not simulation.mailbox.messages:
            simulation.clock.sleep(3.0)
            continue
        message = simulation.mailbox.messages[0]
        if isinstance(message, RenderChunk) and message.index in poisoned:
            fail(simulation, simulation.mailbox.messages.pop(0))
        else:
            simulation.deliver()
    raise AssertionError(simulation.job(job_id).state)


def fail(simulation, message: RenderChunk, code: str = "crashed") -> None:
    lease = simulation.broker.leases.claim(message.job_id, message.index, message.attempt, "w0")
    simulation.broker.leases.commit(
        lease,
        ChunkFailed(
            job_id=message.job_id,
            index=message.index,
            attempt=message.attempt,
            worker="w0",
            code=code,
            message="it always does",
        ),
    )
