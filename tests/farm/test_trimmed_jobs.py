"""Jobs about a part of a video, from the request to the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.judge import frame_md5s
from farm.errors import BadInput
from farm.precheck import precheck
from farm.requests import JobRequest
from farm.states import JobState

pytestmark = pytest.mark.needs_ffmpeg


@pytest.mark.parametrize(
    ("part", "kept"), [({"start": "10f", "end": "40f"}, slice(10, 40)), ({"start": "1.5"}, slice(36, None))]
)
def test_a_part_is_rendered_and_nothing_else(simulation, request_, clip, part, kept):
    """Frames outside are never offered to a worker; those inside are the input's, bit for bit."""
    job = simulation.run(simulation.submit(**request_, **part))
    assert (job.state, job.error_message) == (JobState.DONE, None)
    wanted = frame_md5s(clip)[kept]
    assert frame_md5s(Path(job.output_path)) == wanted
    assert job.num_frames == job.frames_rendered == len(wanted)


def test_a_part_without_frames_fails_the_job_and_says_how_long_the_video_is(simulation, request_):
    """Only the manifest knows: the frame number is beyond the end."""
    job = simulation.run(simulation.submit(**request_, start="5000f"))
    assert job.state == JobState.FAILED
    assert "frames in" in job.error_message
    assert "--start" in job.error_hint


@pytest.mark.parametrize(("start", "end"), [("soon", None), ("2", "1"), ("20f", "20f"), ("1000", None)])
def test_what_can_be_seen_at_once_is_refused_at_once(simulation, request_, start, end):
    with pytest.raises(BadInput):
        simulation.submit(**request_, start=start, end=end)


def test_an_estimate_is_about_the_part(simulation, request_):
    """A second of the clip's frames, not all of them."""
    whole = precheck(simulation.farm, JobRequest(**request_))
    part = precheck(simulation.farm, JobRequest(**request_, start="1", end="2"))
    assert (part.frames, part.chunks) == (24, 1)
    assert whole.frames > 24
