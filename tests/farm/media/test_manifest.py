"""The manifest is what ffmpeg sees, in one pass, kept whole on disk."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest

from farm.errors import TruncatedVideo, UnsupportedMedia
from farm.media.manifest import Manifest, index
from farm.media.probe import probe
from farm.media.table import KEY
from tests.clips import make_clip
from tests.farm.media.judge import packets

CLIPS = {
    "mp4": {"bframes": 3, "audio": ["aac"], "fps": Fraction(30000, 1001)},
    "mov": {"open_gop": True},
    "mkv": {"bframes": 3, "audio": ["aac"]},
    "ts": {"audio": ["aac"], "start": 100},
    "avi": {"codec": "mpeg4", "bframes": 0},
    "nut": {},
}


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("suffix", CLIPS)
def test_packets_are_those_that_ffmpeg_lists(tmp_path, suffix):
    """Every packet's time, size and key flag agree with the judge's, in decode order."""
    clip = make_clip(tmp_path / f"clip.{suffix}", **CLIPS[suffix])
    manifest = index(clip, probe(clip))
    found = [
        (int(pts) * manifest.time_base, int(size), bool(flags & KEY))
        for pts, size, flags in zip(
            manifest.packet_pts, manifest.packet_size, manifest.packet_flags, strict=True
        )
    ]
    assert found == [(packet.pts_s, packet.size, packet.is_key) for packet in packets(clip, "v:0")]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_frames_are_in_presentation_order(tmp_path, suffix):
    """With B-frames, frame n is the one that carries the number n, and times grow."""
    clip = make_clip(tmp_path / f"clip.{suffix}", num_frames=30, gop=10, bframes=3, open_gop=True)
    manifest = index(clip, probe(clip))
    assert manifest.num_frames == manifest.num_packets == 30
    assert (np.diff(manifest.pts) > 0).all()
    assert not (np.diff(manifest.order) > 0).all(), "the clip has no B-frames"
    assert manifest.keyframes.tolist()[:3] == [0, 10, 20]
    assert float(manifest.duration_s) == pytest.approx(30 / 25, abs=0.001)


def test_variable_frame_rates_keep_every_time(tmp_path):
    """Times are the file's own, however uneven."""
    times = [0, 7, 9, 40, 41, 90, 333]
    clip = make_clip(tmp_path / "clip.mkv", pts=times, time_base=Fraction(1, 1000))
    manifest = index(clip, probe(clip))
    assert (manifest.pts - manifest.pts[0]).tolist() == times
    assert manifest.durations.tolist()[:-1] == np.diff(times).tolist()
    assert not manifest.is_constant_rate


def test_a_saved_manifest_is_the_same(tmp_path):
    """Saving and loading changes nothing and leaves no other file."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=30)
    manifest = index(clip, probe(clip))
    place = tmp_path / "kept"
    place.mkdir()
    manifest.save(place / "manifest.npz")
    loaded = Manifest.load(place / "manifest.npz")
    assert [path.name for path in place.iterdir()] == ["manifest.npz"]
    assert loaded.time_base == manifest.time_base
    for name in (
        "packet_pts",
        "packet_dts",
        "packet_duration",
        "packet_size",
        "packet_flags",
        "pts",
        "order",
    ):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(manifest, name))


def test_what_is_no_manifest_is_not_loaded(tmp_path):
    """A file that holds something else, or half of one, is refused by name."""
    path = tmp_path / "manifest.npz"
    path.write_bytes(b"something else")
    with pytest.raises(ValueError):
        Manifest.load(path)
    make_clip(tmp_path / "clip.mp4", num_frames=5)
    index(tmp_path / "clip.mp4", probe(tmp_path / "clip.mp4")).save(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match="not a manifest"):
        Manifest.load(path)


def test_progress_goes_up_to_the_whole_file(tmp_path, monkeypatch):
    """Progress is told in bytes, never backwards, and ends at the file's size."""
    monkeypatch.setattr("farm.media.manifest._REPORT_EVERY", 10)
    clip = make_clip(tmp_path / "clip.mkv", num_frames=100)
    told: list[tuple[int, int]] = []
    index(clip, probe(clip), on_progress=lambda done, total: told.append((done, total)))
    size = clip.stat().st_size
    assert len(told) > 5
    assert told == sorted(told)
    assert told[-1] == (size, size)
    assert {total for _, total in told} == {size}


def test_missing_times_are_told_where_order_says_them(tmp_path):
    """AVI stores no times: without B-frames they follow from the order, with them the decoder says them."""
    plain = make_clip(tmp_path / "plain.avi", bframes=0, num_frames=20)
    manifest = index(plain, probe(plain))
    assert manifest.is_constant_rate
    assert manifest.num_frames == 20
    reordered = make_clip(tmp_path / "reordered.avi", bframes=2, num_frames=20)
    manifest = index(reordered, probe(reordered))
    assert manifest.is_constant_rate
    assert manifest.num_frames == 20
    # In this clip's GOPs, frames follow the one that they lean on: not in the order of their packets.
    assert (np.diff(manifest.order) != 1).any()


def test_two_frames_of_one_time_stay_in_order():
    """Frames have numbers of their own, and are told apart by those."""
    manifest = manifest_of([0, 1, 1, 2])
    assert manifest.pts.tolist() == [0, 1, 1, 2]
    assert manifest.frame_of.tolist() == [0, 1, 2, 3]
    assert manifest.durations.min() == 1


def test_hidden_and_discarded_packets_are_no_frames():
    """They count as packets and carry bytes, and are never numbered."""
    manifest = manifest_of([0, 1, 1, 2], flags=[KEY, 2, 4, 0])
    assert (manifest.num_packets, manifest.num_frames) == (4, 2)
    assert manifest.pts.tolist() == [0, 2]
    assert manifest.required_packets(0, 2) == (0, 4)


def test_a_stream_without_frames_is_refused():
    """There is nothing to render."""
    with pytest.raises(UnsupportedMedia, match="no frames"):
        manifest_of([0, 1], flags=[2, 2])


@pytest.mark.parametrize("suffix", ["mkv", "flv", "avi", "mp4"])
@pytest.mark.parametrize("share", [0.4, 0.8])
def test_a_file_cut_short_is_noticed(tmp_path, suffix, share):
    """Before any work is done, by whichever of the header's promises is broken."""
    options = {"movflags": "+faststart"} if suffix == "mp4" else {}
    clip = make_clip(tmp_path / f"clip.{suffix}", num_frames=200, bframes=0, mux_options=options)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(TruncatedVideo) as caught:
        index(clip, probe(clip))
    assert caught.value.hint


def test_a_file_cut_short_after_it_was_probed_is_noticed(tmp_path):
    """The index is compared with what is there, packet by packet."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=200, mux_options={"movflags": "+faststart"})
    info = probe(clip)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(TruncatedVideo):
        index(clip, info)


def test_a_long_audio_track_is_not_a_truncated_video(tmp_path):
    """The header's duration is the longest stream's; only all streams together can fall short of it."""
    clip = make_clip(tmp_path / "clip.mkv", num_frames=25, audio=["aac"], audio_s=6)
    info = probe(clip)
    assert info.duration_s > 5
    assert index(clip, info).num_frames == 25


def test_indexing_is_fast(tmp_path):
    """From the page cache, packets of a usual size are listed at 200 MB/s or more, at least once in five."""
    clip = make_clip(
        tmp_path / "clip.mp4", codec="ffv1", container="mp4", num_frames=150, size=(640, 480), audio=["aac"]
    )
    info = probe(clip)
    speeds = []
    for _ in range(5):
        began = time.perf_counter()
        index(clip, info)
        speeds.append(info.size_bytes / (time.perf_counter() - began) / 1e6)
    assert max(speeds) >= 200, speeds


def manifest_of(times: list[int], flags: list[int] | None = None) -> Manifest:
    """Return a manifest of packets that are as large as their number plus 100."""
    count = len(times)
    return Manifest(
        time_base=Fraction(1, 25),
        packet_pts=np.array(times, np.int64),
        packet_dts=np.arange(count, dtype=np.int64),
        packet_duration=np.ones(count, np.int64),
        packet_size=np.arange(100, 100 + count, dtype=np.int64),
        packet_flags=np.array(flags or [KEY] + [0] * (count - 1), np.uint8),
    )
