"""Segments decode to exactly the frames of the whole file, wherever they were cut."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from broker.framing import read_segment
from farm.errors import TruncatedVideo
from farm.media.cut import Cutter
from farm.media.manifest import index
from farm.media.plan import plan_chunks, with_context
from farm.media.probe import probe
from tests.clips import make_clip
from tests.farm.media.decoding import decode_segment, md5
from tests.farm.media.judge import frame_md5s
from tests.farm.media.remux import first_open_keyframe, join, remux

VFR = [0, 40, 50, 120, 121, 200, 210, 360, 400, 410, 500, 505, 640, 700, 710, 715, 800, 1000, 1010, 1500]

#: Name → (suffix, how the clip is made).
CLIPS = {
    "h264-closed-mp4": ("mp4", {}),
    "h264-closed-mov": ("mov", {"bframes": 3}),
    "h264-open-mp4": ("mp4", {"open_gop": True, "bframes": 3}),
    "h264-open-mkv": ("mkv", {"open_gop": True, "bframes": 3}),
    "h264-open-ts": ("ts", {"open_gop": True, "bframes": 3}),
    "h264-late-start": ("mp4", {"start": 1000, "time_base": Fraction(1, 25)}),
    "h264-one-keyframe": ("mkv", {"gop": 1000}),
    "h264-vfr-mp4": ("mp4", {"pts": VFR, "time_base": Fraction(1, 1000), "gop": 6}),
    "h264-vfr-mkv": ("mkv", {"pts": VFR, "time_base": Fraction(1, 1000), "gop": 6}),
    "h264-10-bit": ("mov", {"pix_fmt": "yuv420p10le"}),
    "h264-no-b-frames-avi": ("avi", {"bframes": 0}),
    "h264-with-audio": ("mp4", {"audio": ["aac"], "fps": Fraction(30000, 1001)}),
    "h264-with-audio-ts": ("ts", {"audio": ["aac"], "fps": Fraction(30000, 1001)}),
    "hevc-open-mp4": ("mp4", {"codec": "libx265", "open_gop": True, "bframes": 4}),
    "hevc-open-mkv": ("mkv", {"codec": "libx265", "open_gop": True, "bframes": 4}),
    "hevc-open-ts": ("ts", {"codec": "libx265", "open_gop": True, "bframes": 4}),
    "hevc-closed-mp4": ("mp4", {"codec": "libx265"}),
    "mpeg4-mp4": ("mp4", {"codec": "mpeg4"}),
    "mpeg4-mkv": ("mkv", {"codec": "mpeg4"}),
    "mpeg2-ts": ("ts", {"codec": "mpeg2video"}),
    "vp8-mkv": ("mkv", {"codec": "libvpx"}),
    "vp9-mkv": ("mkv", {"codec": "libvpx-vp9"}),
    "vp9-mp4": ("mp4", {"codec": "libvpx-vp9"}),
    "av1-mp4": ("mp4", {"codec": "libsvtav1"}),
    "av1-mkv": ("mkv", {"codec": "libsvtav1"}),
    "ffv1-mkv": ("mkv", {"codec": "ffv1", "pix_fmt": "yuv422p10le"}),
    "h264-intra-refresh": ("mp4", {"bframes": 0, "options": {"x264-params": "intra-refresh=1:scenecut=0"}}),
    "mpeg2-program-stream": ("mpg", {"codec": "mpeg2video"}),
    "h264-flv": ("flv", {"open_gop": True}),
    "h264-fragmented": ("mp4", {"mux_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "prores-mov": ("mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}),
}
TS_PACKET = 188  # bytes


@pytest.fixture(scope="module", params=CLIPS, ids=str)
def clip(request, tmp_path_factory):
    suffix, made = CLIPS[request.param]
    return make_clip(tmp_path_factory.mktemp("clips") / f"{request.param}.{suffix}", **made)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("frames_a_chunk", [1, 5, 12, 17])
def test_chunks_decode_to_the_whole_files_frames(clip, frames_a_chunk):
    """Every frame comes out once, in order and bit-exact, on GOP borders and off them."""
    wanted = frame_md5s(clip)
    info = probe(clip)
    manifest = index(clip, info)
    assert manifest.num_frames == len(wanted)
    found = []
    with Cutter(clip, info, manifest) as cutter:
        for number, start in enumerate(range(0, len(wanted), frames_a_chunk)):
            end = min(start + frames_a_chunk, len(wanted))
            found += decode_segment(cutter.cut(with_context(manifest, number, start, end, radius=0)))
    assert found == [(frame, False, digest) for frame, digest in enumerate(wanted)]


@pytest.mark.needs_ffmpeg
def test_chunks_can_be_cut_in_any_order(clip):
    """A cutter that jumps backwards and forwards cuts the same segments as a fresh one."""
    info = probe(clip)
    manifest = index(clip, info)
    plans = plan_chunks(manifest, chunk_s=manifest.duration_s / 9, max_bytes=2**30, radius=2)
    order = np.random.default_rng(3).permutation(len(plans))
    with Cutter(clip, info, manifest) as cutter:
        jumping = {number: b"".join(cutter.cut(plans[number])) for number in order}
    for number, plan in enumerate(plans):
        with Cutter(clip, info, manifest) as cutter:
            assert b"".join(cutter.cut(plan)) == jumping[number]


@pytest.mark.needs_ffmpeg
def test_context_frames_are_the_neighbours_frames(clip):
    """Frames of context are bit-exact, marked as such, and end where the video does."""
    wanted = frame_md5s(clip)
    info = probe(clip)
    manifest = index(clip, info)
    last = len(wanted)
    with Cutter(clip, info, manifest) as cutter:
        for start, end in [(0, 4), (7, 11), (last - 3, last)]:
            plan = with_context(manifest, 0, start, end, radius=3)
            frames = range(max(0, start - 3), min(last, end + 3))
            context = [(frame, not start <= frame < end, wanted[frame]) for frame in frames]
            assert decode_segment(cutter.cut(plan)) == context


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_far_chunks_are_sought(tmp_path, suffix, monkeypatch):
    """Where reading on would cost more than a seek, the container seeks, and the bytes are the same."""
    clip = make_clip(tmp_path / f"long.{suffix}", num_frames=400, gop=10, open_gop=True, audio=["aac"])
    info = probe(clip)
    manifest = index(clip, info)
    plans = [with_context(manifest, 0, start, start + 7, radius=1) for start in (380, 3, 200, 201, 90)]
    with Cutter(clip, info, manifest) as cutter:
        read_on = [b"".join(cutter.cut(plan)) for plan in plans]
    monkeypatch.setattr("farm.media.packets.SKIP_BYTES", 0)
    with Cutter(clip, info, manifest) as cutter:
        sought = [b"".join(cutter.cut(plan)) for plan in plans]
    assert sought == read_on


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_beginnings_in_mid_gop_are_cut_exactly(tmp_path, codec, suffix):
    """Cut from an open GOP, by an edit list or by force, a clip has the frames that a decoder shows."""
    whole = make_clip(tmp_path / f"whole.{suffix}", codec=codec, open_gop=True, bframes=3, num_frames=80)
    clip = tmp_path / f"cut.{suffix}"
    if suffix == "ts":
        clip.write_bytes(whole.read_bytes()[TS_PACKET * 80 :])
    else:
        shift = -16 if suffix == "mp4" else -13
        remux(whole, clip, from_packet=first_open_keyframe(whole), shift_frames=shift)
    with av.open(str(clip)) as container:
        wanted = [md5(picture) for picture in tolerantly_decoded(container)]
    info = probe(clip)
    manifest = index(clip, info)
    assert 0 < manifest.num_frames == len(wanted) < manifest.num_packets
    with Cutter(clip, info, manifest) as cutter:
        found = decode_segment(cutter.cut(with_context(manifest, 0, 0, 5, radius=2)))
        found += decode_segment(cutter.cut(with_context(manifest, 1, 5, len(wanted), radius=0)))
    assert [digest for _, is_context, digest in found if not is_context] == wanted


def tolerantly_decoded(container):
    """Yield what a decoder shows of a file that begins with frames it can do nothing with."""
    stream = container.streams.video[0]
    for packet in container.demux(stream):
        with contextlib.suppress(av.FFmpegError):
            yield from stream.decode(packet)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_parameter_sets_that_change_go_along(tmp_path, suffix):
    """Where a container announces new parameter sets, chunks behind that point decode with the new ones."""
    first = make_clip(tmp_path / "first.mp4", num_frames=30)
    second = make_clip(tmp_path / "second.mp4", num_frames=30, options={"x264-params": "cabac=0:ref=5"})
    clip = join([first, second], tmp_path / f"joined.{suffix}")
    wanted = frame_md5s(clip)
    info = probe(clip)
    manifest = index(clip, info)
    found = []
    with Cutter(clip, info, manifest) as cutter:
        for start in (50, 40, 0, 10, 30, 20):
            found += decode_segment(cutter.cut(with_context(manifest, 0, start, start + 10, radius=0)))
    assert [digest for *_, digest in sorted(found)] == wanted


def test_a_file_that_was_replaced_is_noticed(tmp_path):
    """A file of another size, or with other packets, is refused instead of cut."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=30)
    info = probe(clip)
    manifest = index(clip, info)
    plan = with_context(manifest, 0, 10, 20, radius=0)
    make_clip(clip, num_frames=30, options={"crf": "40"})
    with pytest.raises(TruncatedVideo, match="changed"), Cutter(clip, info, manifest) as cutter:
        list(cutter.cut(plan))
    same_size = replace(info, size_bytes=clip.stat().st_size)
    with pytest.raises(TruncatedVideo, match="changed"), Cutter(clip, same_size, manifest) as cutter:
        list(cutter.cut(plan))


def test_the_header_says_what_a_decoder_and_an_encoder_need(tmp_path):
    """Times, context, orientation and parameter sets travel with the segment."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=30, rotation=90, gop=10)
    info = probe(clip)
    manifest = index(clip, info)
    with Cutter(clip, info, manifest) as cutter:
        header, packets = read_segment(cutter.cut(with_context(manifest, 1, 10, 20, radius=2)))
        assert len(list(packets)) >= 14
    assert header.start == 10
    assert header.before == (8, 9)
    assert header.pts == tuple(range(10, 20))
    assert header.after == (20, 21)
    assert (header.rotation, header.hflip) == (90, False)
    assert (header.codec, header.width, header.height) == ("h264", 160, 96)
    assert header.extradata
    assert header.time_base == info.video.time_base
