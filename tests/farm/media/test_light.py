"""HDR's static data reach the output, in its container and in its bitstream."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from bench.inputs import KINDS
from farm.media.info import StreamInfo
from farm.media.light import NO_LIGHT, Light, light_from
from farm.media.probe import probe
from tests.farm.media.worked import work

pytestmark = pytest.mark.needs_ffmpeg

X265 = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return KINDS["colour-hdr10"].make(tmp_path_factory.mktemp("hdr"))


def test_the_probe_finds_what_the_encoder_was_told(clip):
    """In x265's own words."""
    light = probe(clip).video.light
    assert light.x265 == X265
    assert light.svt_av1.startswith("mastering-display=G(0.26500,0.69000)")
    assert light.svt_av1.endswith(
        "L(1000.0,0.005):content-light=1000,400".replace("1000.0,0.005", "1000.00000,0.00500")
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("out.mov", {"lossless": True}),
        ("out.mkv", {"lossless": True}),
        ("out.mp4", {}),
        ("out.mp4", {"codec": "hevc"}),
        ("out.mp4", {"codec": "av1"}),
    ],
)
def test_outputs_have_it_exactly(clip, tmp_path, name, options):
    """Whatever they are coded as, and wherever a reader looks first."""
    output = tmp_path / name
    work(clip, output, chunks=2, **options)
    before, after = probe(clip).video, probe(output).video
    assert after.light.x265 == before.light.x265
    assert (after.color_trc, after.colorspace, after.bit_depth) == (16, 9, 10)


def test_an_output_without_it_gets_none(tmp_path):
    from tests.clips import make_clip

    clip = make_clip(tmp_path / "clip.mp4", num_frames=10)
    output = tmp_path / "out.mp4"
    work(clip, output)
    assert probe(output).video.light == NO_LIGHT


def test_it_survives_the_jobs_row(clip):
    """Exactly; and a row that an earlier version wrote has none."""
    video = probe(clip).video
    body = video.to_json()
    assert StreamInfo.from_json(body) == video
    del body["light"], body["field_order"]
    assert StreamInfo.from_json(body).light == NO_LIGHT


def test_parts_that_are_not_said_stay_unsaid():
    """A display without primaries tells nothing; a level of zeros neither."""
    unsaid = struct.pack("=22i", *[0, 1] * 10, 0, 1)
    assert light_from(unsaid, struct.pack("=2I", 0, 0)) == NO_LIGHT
    assert light_from(None, struct.pack("=2I", 1000, 0)) == Light(level=(1000, 0))
    assert not light_from(b"", b"")
    said = struct.pack("=22i", *[1, 2] * 10, 1, 1)
    found = light_from(said, None).mastering
    assert found is not None and set(found.numbers) == {Fraction(1, 2)}
