"""The output has the input's frames, times, sound and tags, whatever containers are in play."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from broker.framing import read_segment
from farm.errors import BadInput
from farm.media.manifest import index
from farm.media.probe import probe
from farm.media.timeline import Timeline
from farm.media.verify import verify
from tests.clips import make_clip, read_numbers
from tests.farm.media.judge import frame_md5s, packets
from tests.farm.media.rendering import render

VFR = [0, 40, 50, 120, 121, 200, 210, 360, 400, 410, 500, 505, 640, 700, 710, 715, 800, 1000, 1010, 1500]

#: Name → (input suffix, how the input is made).
INPUTS = {
    "mp4": ("mp4", {"audio": ["aac"], "fps": Fraction(30000, 1001), "bframes": 3}),
    "mp4-two-tracks": ("mp4", {"audio": ["aac", "ac3"]}),
    "mp4-late": ("mp4", {"audio": ["aac"], "start": 37, "fps": Fraction(60000, 1001)}),
    "mp4-vfr": ("mp4", {"audio": ["aac"], "pts": VFR, "time_base": Fraction(1, 1000)}),
    "mp4-silent": ("mp4", {"open_gop": True}),
    "mov-alac": ("mov", {"audio": ["alac"]}),
    "mkv": ("mkv", {"audio": ["aac"], "bframes": 3}),
    "mkv-opus": ("mkv", {"audio": ["libopus"]}),
    "mkv-vfr": ("mkv", {"pts": VFR, "time_base": Fraction(1, 1000)}),
    "ts": ("ts", {"audio": ["mp2"], "start": 91}),
}
#: The tick to which each kind of output rounds, and whether it may move everything by one amount.
OUTPUTS = {"mp4": (0, False), "mov": (0, False), "mkv": (Fraction(1, 1000), True)}


@pytest.fixture(scope="module", params=INPUTS)
def clip(request, tmp_path_factory):
    suffix, made = INPUTS[request.param]
    return make_clip(tmp_path_factory.mktemp("inputs") / f"{request.param}.{suffix}", **made)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("suffix", OUTPUTS)
def test_frames_times_and_sound_are_the_inputs(clip, tmp_path, suffix):
    """The judge finds every frame at its own time, and every other packet as it was, beside it."""
    output = tmp_path / f"out.{suffix}"
    rendered = render(clip, output)
    report = rendered.mux(output)
    assert report.num_frames == rendered.manifest.num_frames
    assert report.dropped == ()
    tick, may_shift = OUTPUTS[suffix]
    before, after = packets(clip), packets(output)
    shift = start_of(after) - start_of(before) if may_shift else 0
    # Twice a rounding: the input's time, and what all times are moved by.
    assert_times_match(times_of(before, 0), times_of(after, 0), shift, tick)
    for number in range(1, 1 + len(rendered.info.audio)):
        assert_times_match(
            times_of(before, number), times_of(after, number), shift, max(tick, Fraction(1, 44100))
        )
        assert payload(after, number) == payload(before, number)
    assert {packet.stream for packet in after} == set(range(1 + len(rendered.info.audio)))
    assert read_numbers(output) == list(range(rendered.manifest.num_frames))
    verify(output, rendered.timeline, rendered.info, rendered.target, copied=report.copied)


def start_of(found):
    """Return the earliest time of all streams."""
    return min(packet.pts_s for packet in found)


def times_of(found, stream):
    return sorted(packet.pts_s for packet in found if packet.stream == stream)


def payload(found, stream):
    return [(packet.size, packet.checksum) for packet in found if packet.stream == stream]


def assert_times_match(before, after, shift, tick) -> None:
    assert len(before) == len(after)
    assert max(abs(b + shift - a) for b, a in zip(before, after, strict=True)) <= tick


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mkv", "mov"])
@pytest.mark.parametrize("chunks", [1, 3, 7])
def test_lossless_outputs_decode_to_the_inputs_frames(tmp_path, suffix, chunks):
    """However it was chunked, every pixel is the input's."""
    clip = make_clip(tmp_path / "clip.mp4", open_gop=True, bframes=3, pix_fmt="yuv420p10le")
    output = tmp_path / f"out.{suffix}"
    render(clip, output, chunks=chunks, lossless=True).mux(output)
    assert frame_md5s(output) == frame_md5s(clip)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_joins_do_not_show_in_what_is_decoded(tmp_path, suffix):
    """The joined file decodes to exactly what the chunks decode to one by one."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=60)
    output = tmp_path / f"out.{suffix}"
    rendered = render(clip, output, chunks=5)
    rendered.mux(output)
    apart = []
    for number, segment in enumerate(rendered.segments):
        header, records = read_segment([segment])
        path = tmp_path / f"{number}.h264"
        # The parameter sets, then the packets: H.264 as it is sent over a wire.
        path.write_bytes(header.extradata + b"".join(record.data for record in records))
        apart += frame_md5s(path)
    assert frame_md5s(output) == apart


@pytest.mark.needs_ffmpeg
def test_mp4_to_mp4_keeps_packet_times_to_the_tick(tmp_path):
    """Time base, priming and beginning of both streams are the input's own."""
    clip = make_clip(tmp_path / "clip.mp4", audio=["aac"], fps=Fraction(24000, 1001), bframes=3)
    output = tmp_path / "out.mp4"
    render(clip, output).mux(output)
    with av.open(str(clip)) as one, av.open(str(output)) as other:
        for before, after in zip(one.streams, other.streams, strict=True):
            assert (after.time_base, after.start_time) == (before.time_base, before.start_time)
            # The input's own length is told in milliseconds, as FFmpeg does by itself.
            assert abs(after.duration - before.duration) * after.time_base < Fraction(1, 1000)
        primed = next(packet for packet in one.demux(audio=0) if packet.size)
        kept = next(packet for packet in other.demux(audio=0) if packet.size)
        assert kept.pts == primed.pts < 0
        assert kept.has_sidedata("skip_samples")


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_output_says_that_it_is_synthetic(tmp_path, suffix):
    """Two tags say so in front of the input's own, and the others are kept, unusual ones too."""
    tags = {"title": "A day out", "comment": "by the sea", "artist": "Me"}
    clip = make_clip(tmp_path / "clip.mkv", num_frames=10, tags=tags | {"com.example.lens": "50 mm"})
    output = tmp_path / f"out.{suffix}"
    render(clip, output, chunks=1).mux(output, engine="portrait")
    with av.open(str(output)) as written:
        found = {name.lower(): value for name, value in written.metadata.items()}
    for name in ("comment", "description"):
        assert "altered by AI" in found[name]
        assert "face-fusion-farm" in found[name]
        assert "portrait" in found[name]
    assert found["comment"].endswith("by the sea")
    assert (found["title"], found["artist"], found["com.example.lens"]) == ("A day out", "Me", "50 mm")


def test_stating_it_twice_is_not_needed(tmp_path):
    """An output that is rendered again has the statement once."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=10)
    once, twice = tmp_path / "once.mp4", tmp_path / "twice.mp4"
    render(clip, once, chunks=1).mux(once)
    render(once, twice, chunks=1).mux(twice)
    with av.open(str(twice)) as written:
        assert written.metadata["comment"].count("altered by AI") == 1


def test_players_can_start_before_the_file_is_whole(tmp_path):
    """An MP4's index stands in front of its data."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=10)
    output = tmp_path / "out.mp4"
    render(clip, output, chunks=1).mux(output)
    content = output.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_colour_shape_and_language_go_along(tmp_path):
    """What players must know of the picture and of the tracks is in the output's header."""
    clip = make_clip(
        tmp_path / "clip.mp4",
        num_frames=10,
        audio=["aac", "aac"],
        languages=["deu", "fra"],
        options={"x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv:sar=4/3"},
    )
    output = tmp_path / "out.mp4"
    render(clip, output, chunks=1).mux(output)
    before, after = probe(clip), probe(output)
    for video in (before.video, after.video):
        assert (video.color_primaries, video.color_trc, video.colorspace, video.color_range) == (1, 1, 1, 1)
        assert video.sample_aspect_ratio == Fraction(4, 3)
    assert after.video.average_rate == before.video.average_rate
    assert [track.language for track in after.audio] == ["deu", "fra"]


def test_chapters_go_along(tmp_path):
    """Their names and times are the input's."""
    clip = make_clip(tmp_path / "clip.mkv", num_frames=50, chapters=[("One", 0, 1000), ("Two", 1000, 2000)])
    for suffix in ("mkv", "mp4"):
        output = tmp_path / f"out.{suffix}"
        report = render(clip, output, chunks=1).mux(output)
        with av.open(str(output)) as written:
            found = [(c["metadata"]["title"], c["start"] * c["time_base"]) for c in written.chapters()]
        assert found == [("One", 0), ("Two", 1)]
        assert report.dropped == ()


def test_streams_that_cannot_be_held_are_named(tmp_path):
    """Subtitles are copied where the container takes them, and listed where it does not."""
    clip = with_subtitles(make_clip(tmp_path / "plain.mkv", num_frames=50), tmp_path / "clip.mkv")
    held = render(clip, tmp_path / "out.mkv", chunks=1).mux(tmp_path / "out.mkv")
    assert held.dropped == ()
    assert [stream.codec for stream in probe(tmp_path / "out.mkv").others] == ["subrip"]
    lost = render(clip, tmp_path / "out.mp4", chunks=1).mux(tmp_path / "out.mp4")
    assert [str(stream) for stream in lost.dropped] == ["subtitle stream 1 (subrip)"]


def with_subtitles(clip, path):
    """Add two lines of text to a clip."""
    srt = path.with_suffix(".srt")
    srt.write_text("1\n00:00:00,200 --> 00:00:00,900\nHello\n\n2\n00:00:01,200 --> 00:00:01,900\nworld\n")
    with av.open(str(clip)) as video, av.open(str(srt)) as text, av.open(str(path), "w") as output:
        picture = output.add_stream_from_template(video.streams.video[0], opaque=True)
        lines = output.add_stream_from_template(text.streams.subtitles[0], opaque=True)
        for source, stream in ((video, picture), (text, lines)):
            for packet in source.demux():
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    return path


def test_progress_ends_at_the_last_frame(tmp_path):
    """It is told in frames and never goes backwards."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=150)
    told = []
    render(clip, tmp_path / "out.mp4").mux(
        tmp_path / "out.mp4", on_progress=lambda done, total: told.append((done, total))
    )
    assert told == [(64, 150), (128, 150), (150, 150)]


def test_audio_that_cannot_be_held_is_refused_at_the_latest_here(tmp_path):
    """Never dropped in silence, even if the target was chosen for another input."""
    clip = make_clip(tmp_path / "clip.mkv", num_frames=10, audio=["tta"])
    silent = make_clip(tmp_path / "silent.mkv", num_frames=10)
    chosen = render(silent, tmp_path / "out.mp4", chunks=1)
    info = probe(clip)
    with pytest.raises(BadInput, match="tta"):
        chosen.mux(tmp_path / "out.mp4", input_path=clip, info=info, timeline=Timeline.of(index(clip, info)))
