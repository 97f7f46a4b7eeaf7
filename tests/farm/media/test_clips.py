"""The clips that other tests rely on are what they claim to be."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from tests.clips import make_clip, pictures, read_number, read_numbers


@pytest.mark.parametrize("number", [0, 1, 255, 256, 40_000, 65_535])
def test_every_number_can_be_read(number):
    """Sixteen blocks hold sixteen bits."""
    from tests.clips import _number_row

    picture = next(pictures((160, 96)))
    planes = picture.to_ndarray()
    planes[:24] = _number_row(number, 160)
    assert read_number(av.VideoFrame.from_ndarray(planes, format="yuv420p")) == number


@pytest.mark.parametrize(
    ("suffix", "made"),
    [
        ("mp4", {"options": {"crf": "40"}}),
        ("mp4", {"size": (64, 48)}),
        ("mkv", {"codec": "libx265", "open_gop": True}),
        ("mkv", {"codec": "libvpx-vp9"}),
        ("mp4", {"codec": "libsvtav1"}),
        ("mkv", {"codec": "ffv1", "pix_fmt": "yuv422p10le"}),
        ("mkv", {"codec": "ffv1", "size": (161, 97)}),
        ("mov", {"codec": "mpeg4"}),
    ],
)
def test_numbers_survive_coding(tmp_path, suffix, made):
    """At low quality, small sizes, and in other pixel formats."""
    clip = make_clip(tmp_path / f"clip.{suffix}", num_frames=20, **made)
    assert read_numbers(clip) == list(range(20))


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("open_gop", [False, True])
def test_gops_are_open_when_asked_for(tmp_path, codec, open_gop):
    """In an open GOP, frames follow the keyframe that are shown before it."""
    clip = make_clip(tmp_path / "clip.mp4", codec=codec, open_gop=open_gop, bframes=3)
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    assert len(keys) > 2
    leading = [key for key in keys[1:-1] if packets[key + 1].pts < packets[key].pts]
    assert bool(leading) is open_gop


def test_times_are_the_ones_given(tmp_path):
    """Uneven, and from a late start."""
    clip = make_clip(
        tmp_path / "clip.mov", pts=[0, 5, 7, 30], start=100, time_base=Fraction(1, 1000), bframes=0
    )
    with av.open(str(clip)) as container:
        times = [picture.pts * picture.time_base for picture in container.decode(video=0)]
    assert times == [Fraction(100 + time, 1000) for time in (0, 5, 7, 30)]
