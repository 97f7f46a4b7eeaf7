"""Interlaced video stays as it is: the output says which field is first, and so does each coded frame."""

from __future__ import annotations

import json
import subprocess

import pytest

from bench.inputs import KINDS
from broker.framing import first_field
from farm.media.probe import probe
from tests.farm.media.judge import frame_md5s
from tests.farm.media.worked import work

pytestmark = pytest.mark.needs_ffmpeg


@pytest.mark.parametrize(
    ("kind", "first"), [("interlaced-h264", "tff"), ("interlaced-mpeg2", "bff"), ("interlaced-prores", "tff")]
)
def test_outputs_keep_their_fields(tmp_path, kind, first):
    """FFV1 keeps them in the container, H.264 in every frame too."""
    clip = KINDS[kind].make(tmp_path)
    assert first_field(probe(clip).video.field_order) == first
    lossless, coded = tmp_path / "out.mov", tmp_path / "out.mp4"
    work(clip, lossless, lossless=True)
    work(clip, coded)
    assert frame_md5s(lossless) == frame_md5s(clip)
    for output in (lossless, coded):
        assert first_field(probe(output).video.field_order) == first
    assert fields(coded) == {(1, int(first == "tff"))}


def test_turned_pictures_have_no_fields(tmp_path):
    """Their lines became columns."""
    from bench.inputs.matrix import turn

    clip = KINDS["interlaced-prores"].make(tmp_path)
    turn(clip, (0, 1, -1, 0))
    assert first_field(probe(clip).video.field_order) == ""


def fields(path):
    """Return what ffprobe says of all frames: (interlaced, top field first)."""
    probe = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_frames", "-of", "json", path]
    frames = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)["frames"]
    return {(frame["interlaced_frame"], frame["top_field_first"]) for frame in frames}
