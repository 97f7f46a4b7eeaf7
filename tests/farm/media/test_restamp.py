"""Segments that do not fit together, or not to the manifest, never become an output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from broker.framing import frame_end, frame_header, frame_packet, read_segment
from farm.errors import OutputRefused, StitchMismatch
from tests.clips import make_clip
from tests.farm.media.rendering import render


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    place = tmp_path_factory.mktemp("rendered")
    return render(make_clip(place / "clip.mp4", num_frames=40, gop=10), place / "out.mp4", chunks=4)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 2, 1, 3], "begins at frame"),
        ([0, 1, 2], "of 40 frames"),
        ([], "no segment"),
        ([0, 1, 1], "begins at"),
    ],
)
def test_segments_out_of_place_are_refused(rendered, tmp_path, order, message):
    """Exchanged, missing and repeated chunks are found."""
    chosen = [[rendered.segments[number]] for number in order]
    with pytest.raises(StitchMismatch, match=message):
        rendered.mux(tmp_path / "out.mp4", segments=lambda: iter(chosen))


def reframed(segment: bytes, *, drop: int | None = None, extradata: bytes | None = None, **changes) -> bytes:
    """Return a segment with something wrong in it."""
    header, found = read_segment([segment])
    if extradata is not None:
        header = replace(header, extradata=extradata)
    records = [record for number, record in enumerate(found) if number != drop]
    records[1] = replace(records[1], **changes)
    return b"".join([frame_header(header), *map(frame_packet, records), frame_end(len(records))])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"drop": 3}, "missing"),
        ({"pts": 999}, "odd time"),
        ({"pts": None}, "odd time"),
        ({"extradata": b"another"}, "extradata"),
    ],
)
def test_damaged_segments_are_refused(rendered, tmp_path, damage, message):
    """A lost frame, a frame of another time, and another encoder's parameters are found."""
    segments = [*rendered.segments[:-1], reframed(rendered.segments[-1], **damage)]
    with pytest.raises(StitchMismatch, match=message):
        rendered.mux(tmp_path / "out.mp4", segments=lambda: ([segment] for segment in segments))


def test_a_segment_that_ends_early_is_refused(rendered, tmp_path):
    """Lost bytes are a mismatch, not a crash."""
    segments = [rendered.segments[0][:-50], *rendered.segments[1:]]
    with pytest.raises(StitchMismatch, match="ends early"):
        rendered.mux(tmp_path / "out.mp4", segments=lambda: ([segment] for segment in segments))


def test_reordering_beyond_what_was_promised_is_refused(rendered, tmp_path):
    """Decode times are planned for the encoder's settings; other packets would break them."""
    target = replace(rendered.target, reorder=0)
    if not (np.diff(rendered.manifest.order) < 0).any():
        pytest.fail("the clip has no B-frames")
    with pytest.raises(StitchMismatch, match="settings"):
        rendered.mux(tmp_path / "out.mp4", target=target)


def test_an_output_that_cannot_be_written_is_refused(rendered, tmp_path):
    """FFmpeg's error is renamed."""
    with pytest.raises(OutputRefused):
        rendered.mux(tmp_path / "nowhere" / "out.mp4")
