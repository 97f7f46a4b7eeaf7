"""Chunk plan, workers and order of completion cannot be seen in the frames that a real fusion puts out."""

import random
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.clips import SOURCE
from bench.judge import frame_md5s
from farm.states import JobState
from tests.farm.simulation import Simulation
from tests.workers.face.moving import moving_picture

pytestmark = pytest.mark.needs_ffmpeg

NUM_FRAMES, FPS = 14, 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A head that moves, for more than a second; a mirrored shot begins within a GOP of 5 frames."""
    path = tmp_path_factory.mktemp("clip") / "head.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", FPS, options={"g": "5", "bf": "2", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 160, 160, "yuv420p"
        for index in range(NUM_FRAMES):
            picture = moving_picture(index)[48:208, 48:208]
            shot = picture if index < 9 else picture[:, ::-1]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shot), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def rendered(clip: Path, *, chunk_seconds: float, num_workers: int, seed: int) -> list[str]:
    """Return the digests of the decoded frames that a farm's lossless output has."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as home:
        output = Path(home) / "out.mkv"
        simulation = Simulation(Path(home), num_workers=num_workers)
        job_id = simulation.submit(
            input=str(clip),
            output=str(output),
            source=str(SOURCE),
            engine="portrait",
            lossless=True,
            chunk_seconds=chunk_seconds,
        )
        job = simulation.run(job_id, pick=dice.randrange)
        assert (job.state, job.error_message) == (JobState.DONE, None)
        assert job.frames_fused == NUM_FRAMES
        return frame_md5s(output)


@pytest.fixture(scope="module")
def whole(clip) -> list[str]:
    frames = rendered(clip, chunk_seconds=60, num_workers=1, seed=0)
    assert len(set(frames)) == NUM_FRAMES
    assert not set(frames) & set(frame_md5s(clip)), "every frame has a fused face"
    return frames


@settings(max_examples=2, deadline=None)
@given(
    chunk_seconds=st.sampled_from([0.2, 0.3, 0.5, 0.7, 1.1]),
    num_workers=st.integers(1, 4),
    seed=st.integers(0, 2**16),
)
def test_frames_do_not_depend_on_the_plan(clip, whole, chunk_seconds, num_workers, seed):
    """Any plan, any number of workers, any order: the frames of one chunk, bit for bit."""
    assert rendered(clip, chunk_seconds=chunk_seconds, num_workers=num_workers, seed=seed) == whole
