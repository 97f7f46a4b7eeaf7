"""Kinds of input that are hard to get right, through the farm's and the workers' own code, judged by FFmpeg.

`python -m bench video_truth` renders all kinds by a running farm; these are the ones that broke once.
"""

from __future__ import annotations

import pytest

from bench.inputs import KINDS
from bench.truth.compared import WRONG, compare
from bench.truth.observed import observe
from tests.farm.media.worked import work

pytestmark = pytest.mark.needs_ffmpeg

#: Name → what is hard about it.
HARD = {
    "duplicate-pts": "two frames of one time",
    "duplicate-pts-to-mov": "and a container that wants decode times to grow",
    "h264-b-frames-avi": "no times, and frames out of order",
    "mpeg4-b-frames-avi": "the same, in an older format",
    "raw-h264": "no times at all",
    "fields-apart-raw": "two packets a frame, and no times",
    "fields-apart-ts": "two packets a frame, each with a time",
    "ts-clock-wraps": "begins before zero",
    "alpha-vp9": "transparency beside the packets",
    "full-range-mjpeg": "colours of which the container's header is silent",
    "dnxhr-mov": "a colour matrix, and nothing else said of colour",
    "alpha-ffv1": "transparency within",
    "edit-list": "packets that are decoded and not shown",
    "open-gop-ts-cut": "begins in mid-GOP",
    "parameter-sets-in-band": "the container's header has none",
    "one-frame": "no second frame to measure a rate by",
    "odd-size": "half a colour sample at the edge",
    "pixels-not-square-rotated": "turned, and so are its pixels",
    "cover-mp4": "a picture that is no video",
    "cover-mkv": "the same, as an attached file",
    "attachment": "a file of any kind",
    "second-video": "another camera",
    "subtitles-bitmap": "subtitles that are pictures",
}


@pytest.mark.parametrize("name", HARD)
def test_what_goes_in_comes_out(tmp_path, name):
    """Every frame bit for bit at its own time, and what lies beside the video, or a note that names it."""
    kind = KINDS[name]
    clip = kind.make(tmp_path)
    output = tmp_path / f"out{kind.output}"
    report = work(clip, output, lossless=True)
    before = observe(clip, decoder=kind.decoder)
    after = observe(output, pix_fmt=before.colour.get("pix_fmt", ""))
    notes = [f"not carried over: {stream}" for stream in report.dropped]
    found = compare(before, after, is_lossless=True, notes=notes)
    assert {column: text for column, text in found.items() if text.startswith(WRONG)} == {}
    assert len(after.frames) == len(before.frames) > 0


def test_the_judge_sees_what_is_wrong(tmp_path):
    """A judge that cannot fail proves nothing: other frames, times, sound and shape are told apart."""
    one = observe(KINDS["two-languages"].make(tmp_path))
    other = observe(KINDS["fps-120"].make(tmp_path))
    turned = observe(KINDS["rotation-90"].make(tmp_path))
    assert compare(one, other, is_lossless=True, notes=())["frames"].startswith(WRONG)
    found = compare(one, turned, is_lossless=True, notes=())
    for column in ("audio", "rotation"):
        assert found[column].startswith(WRONG), column
    hdr = observe(KINDS["colour-hdr10"].make(tmp_path))
    found = compare(hdr, one, is_lossless=True, notes=())
    for column in ("frames", "colour"):
        assert found[column].startswith(WRONG), column
    chapters = observe(KINDS["chapters-mkv"].make(tmp_path))
    assert "chapters" in compare(chapters, one, is_lossless=True, notes=())["other streams"]
    shifted = observe(KINDS["start-late"].make(tmp_path))
    assert compare(observe(KINDS["aac-with-priming"].make(tmp_path)), shifted, is_lossless=False, notes=())[
        "PTS"
    ].startswith(WRONG)
