"""A part of a video: its frames at their distances, and sound that fits to the sample."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from farm.errors import BadInput
from farm.media.manifest import index
from farm.media.moments import Moment, frames_between, parse_moment
from farm.media.plan import plan_chunks
from farm.media.probe import probe
from farm.media.timeline import Timeline
from farm.media.trimmed import shifted_time_code
from farm.media.verify import verify
from tests.clips import make_clip, read_numbers
from tests.farm.media.judge import frame_md5s, packets
from tests.farm.media.rendering import render
from tests.services import find_ffmpeg

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "rate", "moment"),
    [
        ("120f", None, Moment(frame=120)),
        ("12.5", None, Moment(seconds=Fraction(25, 2))),
        ("1:30", None, Moment(seconds=Fraction(90))),
        ("00:01:30.250", None, Moment(seconds=Fraction(361, 4))),
        ("01:00:00:12", Fraction(25), Moment(frame=90_012)),
        ("00:01:00:00", NTSC, Moment(frame=1800)),
        # Drop-frame: frames 0 and 1 of each minute but every tenth have no number (SMPTE 12M).
        ("00:01:00;02", NTSC, Moment(frame=1800)),
        ("00:10:00;00", NTSC, Moment(frame=17_982)),
        ("00:01:00;04", Fraction(60000, 1001), Moment(frame=3600)),
    ],
)
def test_moments_are_read_as_people_write_them(text, rate, moment):
    assert parse_moment(text, rate) == moment


@pytest.mark.parametrize("text", ["", "f", "12.5f", "-3", "1:2:3:4:5", "soon", "1e3"])
def test_what_is_no_moment_is_refused_with_examples(text):
    with pytest.raises(BadInput) as caught:
        parse_moment(text, Fraction(25))
    assert "00:01:30" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "frames", "later"),
    [
        ("01:00:00:00", 30, "01:00:01:00"),
        ("00:00:59;28", 2, "00:01:00;02"),
        ("00:09:59;29", 1, "00:10:00;00"),
        ("10:00:00;00", 17_982, "10:10:00;00"),
        ("garbage", 5, "garbage"),
    ],
)
def test_time_code_goes_on_where_the_part_begins(code, frames, later):
    assert shifted_time_code(code, frames, NTSC) == later


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """NTSC rate, B-frames, AAC; four seconds."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return make_clip(path, fps=NTSC, num_frames=120, bframes=3, open_gop=True, audio=["aac"])


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [
        (None, None, (0, 120)),
        ("17f", "40f", (17, 40)),
        ("1", "2", (30, 60)),
        ("00:00:01:00", None, (30, 120)),
        ("1.0011", "1.0344", (31, 31 + 1)),
        ("119f", None, (119, 120)),
        (None, "9999f", (0, 120)),
    ],
)
def test_the_frames_between_two_moments(clip, start, end, frames):
    """`start` is the first frame shown at or after it, `end` the first one that is not kept."""
    assert frames_between(start, end, index(clip, probe(clip)), NTSC) == frames


def test_an_empty_part_is_refused(clip):
    with pytest.raises(BadInput, match="the video has 120 frames"):
        frames_between("9", None, index(clip, probe(clip)), NTSC)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("frames", [(17, 61), (0, 30), (60, 120), (59, 60)])
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_a_part_has_exactly_its_frames(clip, tmp_path, suffix, frames):
    """Pixel for pixel the same as in the whole, beginning at 0, at the input's own distances."""
    output = tmp_path / f"out.{suffix}"
    rendered = render(clip, output, chunks=9, frames=frames, lossless=True)
    report = rendered.mux(output)
    verify(output, rendered.timeline, rendered.info, rendered.target, copied=report.copied)
    assert frame_md5s(output) == frame_md5s(clip)[slice(*frames)]
    assert read_numbers(output) == list(range(*frames))
    tick = Fraction(1, 1000) if suffix == "mkv" else 0
    shown = sorted(packet.pts_s for packet in packets(output, "v"))
    for number, time in enumerate(shown):
        assert abs(time - shown[0] - number / NTSC) <= tick


def samples(path: Path) -> np.ndarray:
    """Decode the sound as a player does: from the video's first frame on, priming and edits applied."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.int16)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("frames", [(17, 61), (31, 120)])
def test_sound_fits_to_the_sample_where_there_are_edit_lists(clip, tmp_path, frames):
    """Sample n of the part is sample (start + n) of the whole; past its end, at most the rest of a packet."""
    output = tmp_path / "out.mp4"
    render(clip, output, frames=frames).mux(output)
    whole, part = samples(clip), samples(output)
    begin = round(48_000 * frames[0] / NTSC)
    wanted = round(48_000 * (frames[1] - frames[0]) / NTSC)
    assert wanted <= len(part) + 1024
    assert len(part) <= wanted + 1024
    common = min(wanted, len(part), len(whole) - begin)
    # Not equal: AAC fills in noise, and a decoder that begins elsewhere makes up another.
    errors = [
        np.abs(whole[begin + shift :][: common - 2].astype(int) - part[: common - 2]).mean()
        for shift in range(3)
    ]
    assert errors[0] < min(errors[1:]) / 50
    with av.open(str(output)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.start_time == 0
        assert abs(sound.start_time * sound.time_base) <= Fraction(1, 48_000)


@pytest.mark.needs_ffmpeg
def test_sound_begins_with_a_whole_packet_elsewhere(clip, tmp_path):
    """In Matroska it stays in step, and begins less than a packet late."""
    output = tmp_path / "out.mkv"
    render(clip, output, frames=(17, 61)).mux(output)
    found = packets(output)
    offset = min(p.pts_s for p in found if p.stream == 1) - min(p.pts_s for p in found if p.stream == 0)
    assert 0 <= offset < Fraction(1024, 48_000) + Fraction(1, 1000)


def test_uneven_times_stay_uneven(tmp_path):
    """Of a clip of variable rate, the part has the same gaps."""
    times = [0, 40, 50, 120, 121, 200, 210, 360, 400, 410]
    clip = make_clip(tmp_path / "vfr.mkv", pts=times, num_frames=len(times), time_base=Fraction(1, 1000))
    manifest = index(clip, probe(clip))
    assert Timeline.of(manifest, 2, 8).pts.tolist() == [time - 50 for time in times[2:8]]
    output = tmp_path / "out.mov"
    rendered = render(clip, output, frames=(2, 8))
    rendered.mux(output)
    verify(output, rendered.timeline, rendered.info, rendered.target)


def test_chapters_are_cut_to_the_part(tmp_path):
    """Those outside are gone, one at the border begins with the part."""
    clip = make_clip(
        tmp_path / "clip.mkv", num_frames=100, chapters=[("a", 0, 1000), ("b", 1000, 3000), ("c", 3000, 4000)]
    )
    output = tmp_path / "out.mkv"
    render(clip, output, frames=(50, 75)).mux(output)
    with av.open(str(output)) as container:
        found = [
            (each["metadata"]["title"], each["start"] * each["time_base"], each["end"] * each["time_base"])
            for each in container.chapters()
        ]
    assert found == [("b", 0, 1)]


@pytest.mark.parametrize("frames", [(0, 1), (13, 77), (99, 100)])
def test_chunks_cover_the_part_and_nothing_else(tmp_path, frames):
    """Context may come from outside: the part looks as it does in the whole."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=100)
    manifest = index(clip, probe(clip))
    plans = plan_chunks(manifest, chunk_s=Fraction(1), max_bytes=2**40, radius=5, frames=frames)
    assert [plans[0].start, *(plan.end for plan in plans)] == [*(plan.start for plan in plans), frames[1]]
    assert plans[0].start == frames[0]
    assert plans[0].context_start == max(0, frames[0] - 5)
    assert plans[-1].context_end == min(100, frames[1] + 5)
