"""`farm preview`, on a real farm: one frame, through the real workers, beside the input's own."""

from __future__ import annotations

import json
from fractions import Fraction

import av
import numpy as np
import pytest

from farm.cli.previewing import instant_of
from farm.demo import make_clip, packaged
from farm.errors import BadInput

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """The demo's clip: a face, that moves."""
    path = tmp_path_factory.mktemp("preview") / "faces.mp4"
    with packaged("grace_hopper.jpg") as portrait:
        make_clip(portrait, path)
    return path


def halves(picture):
    with av.open(str(picture)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    return np.split(pixels, 2, axis=1)


def test_the_right_half_is_the_fused_frame_and_the_left_the_inputs(farm, faces, tmp_path):
    look = tmp_path / "look.png"
    with packaged("eileen_collins.jpg") as source:
        done = farm(
            *("preview", faces, "--source", source, "--at", "2.0", "-o", look),
            *("--private", "--gpus", "none", "--json"),
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["frames"], told["frames_fused"], told["output"]) == (1, 1, str(look))
    assert not any("time stamps" in note for note in told["notes"]), "of a file that nobody sees"
    left, right = halves(look)
    with av.open(str(faces)) as container:
        stream = container.streams.video[0]
        wanted = next(
            frame for frame in container.decode(stream) if frame.pts * stream.time_base >= Fraction(2)
        )
    assert np.abs(left - wanted.to_ndarray(format="rgb24")).mean() < 4, "the input's frame at that time"
    difference = np.abs(left - right).max(axis=2)
    assert 0.002 < (difference > 24).mean() < 0.25, "a face has changed, and little else"
    assert difference[:60].max() < 24


def test_a_frame_by_its_number_is_that_frame_alone(faces):
    assert (instant_of(faces, "50f").start, instant_of(faces, "50f").end) == ("50f", "51f")
    first = instant_of(faces, "2")
    assert first.start == "2" and 2.0 < float(first.end) <= 2.04


def test_what_cannot_be_previewed_is_refused_with_a_hint(farm, faces, tmp_path):
    with pytest.raises(BadInput, match="after the end"):
        instant_of(faces, "77")
    refused = farm("preview", faces, "--engine", "passthrough", "-o", tmp_path / "look.txt")
    assert refused.returncode == 2 and ".jpg" in refused.stderr
