"""The ffmpeg program at work: it ends when nobody wants it, and its failures are told in its own words."""

from __future__ import annotations

import threading
from contextlib import closing
from fractions import Fraction

import pytest

from farm.errors import FfmpegFailed, StaleTransition, StitchMismatch
from farm.media.continuous import ContinuousVideo
from farm.media.graphs import video_graph
from farm.media.mux import mux
from farm.media.restamp import Restamper
from farm.media.second_encode import SecondEncode
from farm.media.shapes import Shape
from farm.media.target import choose_target
from farm.media.wishes import EncodingWish
from tests.clips import make_clip
from tests.farm.media.rendering import render

pytestmark = pytest.mark.needs_ffmpeg

RATE = Fraction(25)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    place = tmp_path_factory.mktemp("rendered")
    return render(make_clip(place / "clip.mp4", num_frames=150), place / "chunks.mkv", chunks=5)


class Encoding:
    """A second encode of the clip into `output`; `beat` may end it."""

    def __init__(self, rendered, output, *, segments=None, **options) -> None:
        self.rendered, self.output = rendered, output
        self.target = choose_target(
            output, rendered.info, EncodingWish(bitrate=500_000), Shape(size=(1920, 1152))
        )
        chosen = rendered.segments if segments is None else segments
        self.feed = Restamper(([each] for each in chosen), rendered.timeline, rendered.target.reorder)
        self.graph = video_graph(self.target, self.feed.header, 1 / RATE, 150)
        for name, value in options.items():
            self.graph.node.kwargs[name] = value

    def run(self, beat=lambda: None) -> SecondEncode:
        timeline = self.rendered.timeline
        with SecondEncode(self.graph, "libx264", self.feed, self.rendered.target.codec, timeline) as encode:
            self.encode = encode
            with closing(ContinuousVideo(encode, self.target, timeline, 1 / RATE, beat)) as video:
                mux(
                    self.output,
                    input_path=self.rendered.input,
                    info=self.rendered.info,
                    timeline=timeline,
                    target=self.target,
                    rendered=video,
                    engine="passthrough",
                )
        return encode


def num_threads() -> int:
    return sum(each.name in {"second-encode", "continuous-video"} for each in threading.enumerate())


def test_it_ends_with_whoever_wanted_it(rendered, tmp_path):
    """Stopped in the middle: no process and no feeding thread is left, and the reason comes through."""
    beats = 0

    def stop() -> None:
        nonlocal beats
        beats += 1
        if beats > 3:
            raise StaleTransition("canceled")

    encoding = Encoding(rendered, tmp_path / "out.mp4")
    with pytest.raises(StaleTransition, match="canceled"):
        encoding.run(stop)
    assert encoding.encode.process.returncode == -9
    for thread in threading.enumerate():
        if thread.name in {"second-encode", "continuous-video"}:
            thread.join(5)
    assert num_threads() == 0


def test_what_ffmpeg_says_is_the_reason(rendered, tmp_path):
    """An option that it does not know: its last line is the error's message, the hint is what to do."""
    with pytest.raises(FfmpegFailed, match="nonesuch") as caught:
        Encoding(rendered, tmp_path / "out.mp4", preset="nonesuch").run()
    assert "farm retry" in caught.value.hint


def test_a_program_that_is_killed_is_a_failure(rendered, tmp_path):
    """Whatever had been made of the output is not taken for the whole."""
    encoding = Encoding(rendered, tmp_path / "out.mp4")
    is_killed = False

    def kill() -> None:
        nonlocal is_killed
        if not is_killed and hasattr(encoding, "encode"):
            encoding.encode.process.kill()
            is_killed = True

    with pytest.raises((FfmpegFailed, StitchMismatch)):
        encoding.run(kill)


def test_chunks_that_are_not_whole_are_the_reason(rendered, tmp_path):
    """Not what ffmpeg makes of them: it would end with fewer frames, and be content."""
    with pytest.raises(StitchMismatch, match="frame"):
        Encoding(rendered, tmp_path / "out.mp4", segments=rendered.segments[:3]).run()
