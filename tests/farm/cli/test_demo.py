"""The demo makes its own clip, and a picture in which a person sees at once what was done."""

from __future__ import annotations

import shutil

import av
import numpy as np
import pytest

from farm import ffmpeg_program
from farm.demo import SECONDS, make_clip, make_poster, packaged
from farm.errors import FfmpegFailed

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture(scope="module")
def demo_clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    with packaged("grace_hopper.jpg") as portrait:
        make_clip(portrait, path)
    return path


def test_the_clip_moves_has_sound_and_no_bare_corner(demo_clip):
    with av.open(str(demo_clip)) as container:
        assert len(container.streams.audio) == 1
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 25 * SECONDS
    assert {picture.shape for picture in pictures} == {(720, 1280, 3)}
    for picture in pictures[::15]:
        for corner in (picture[:8, :8], picture[:8, -8:], picture[-8:, :8], picture[-8:, -8:]):
            assert corner.max() > 8  # what a rolling camera bares is black; the darkest ground is not
    assert np.abs(pictures[0].astype(int) - pictures[50]).mean() > 10


def test_the_poster_shows_both_videos_side_by_side(demo_clip, clip, tmp_path):
    make_poster(demo_clip, clip, tmp_path / "poster.jpg", at_s=1.0)
    with av.open(str(tmp_path / "poster.jpg")) as container:
        picture = next(container.decode(video=0))
    assert (picture.width, picture.height) == (1280 + 960, 720)


def test_a_portrait_that_cannot_be_read_is_told_in_ffmpegs_words(tmp_path):
    with pytest.raises(FfmpegFailed, match=r"missing\.jpg"):
        make_clip(tmp_path / "missing.jpg", tmp_path / "out.mp4")


def test_the_ffmpeg_of_the_wheel_is_taken_where_none_is_on_path(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert shutil.which(ffmpeg_program.find_ffmpeg()) is not None


@pytest.mark.soak
@pytest.mark.needs_redis
def test_the_demo_renders_and_shows_what_it_did(farm, tmp_path):
    result = farm("demo", "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'out' / 'demo-fused.mp4'}\n"
    assert "150 of 150 frames fused" in result.stderr
    assert (tmp_path / "out" / "side-by-side.jpg").stat().st_size > 10_000
