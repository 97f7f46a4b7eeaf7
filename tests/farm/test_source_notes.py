"""What the worker that looks at the source has to say of itself reaches the job's notes, once."""

from __future__ import annotations

from broker.messages import CheckSource, SourceChecked
from tests.clips import make_clip

NOTE = "net.onnx runs on the cpu: this worker has no GPU"


def test_a_workers_notes_are_the_jobs(simulation, tmp_path):
    clip = make_clip(tmp_path / "home-clip.mp4", num_frames=24)
    job_id = simulation.submit(input=str(clip), output=str(tmp_path / "out.mp4"), engine="passthrough")
    simulation.advance(job_id)
    assert isinstance(simulation.mailbox.messages.pop(), CheckSource)
    simulation.broker.leases.put_source_checked(SourceChecked(job_id=job_id, notes=(NOTE,)))
    for _ in range(3):
        simulation.advance(job_id)
    assert simulation.farm.store.job(job_id).notes.count(NOTE) == 1
