"""The output suits the input, or is refused before any work is done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import pytest

from farm.errors import BadInput, OutputRefused
from farm.media.encoders import SOFTWARE
from farm.media.formats import nearest_format
from farm.media.info import MediaInfo, OtherStream
from farm.media.probe import probe
from farm.media.target import Target, choose_target
from farm.media.wishes import EncodingWish
from tests.clips import make_clip


@pytest.fixture(scope="module")
def info(tmp_path_factory) -> MediaInfo:
    return probe(make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", num_frames=5))


def with_format(info: MediaInfo, pix_fmt: str, depth: int = 8) -> MediaInfo:
    return replace(info, video=replace(info.video, pix_fmt=pix_fmt, bit_depth=depth))


def with_audio(info: MediaInfo, codec: str) -> MediaInfo:
    track = OtherStream(index=1, kind="audio", codec=codec, language="en", time_base=None, duration_s=None)
    return replace(info, others=(track,))


def test_h264_is_written_unless_told_otherwise(info):
    """Constant quality, closed GOPs, parameter sets that are the same in every chunk, two-second GOPs."""
    target = choose_target(Path("out.mp4"), info)
    assert (target.container, target.codec, target.encode.codec) == ("mp4", "h264", "libx264")
    assert target.encode.pix_fmt == "yuv420p"
    options = target.encode.options
    assert (options["crf"], options["preset"], options["g"]) == ("18", "medium", "50")
    assert "stitchable=1" in options["x264-params"]
    assert "open-gop=0" in options["x264-params"]
    assert target.notes == ()


def test_quality_and_preset_are_the_users(info):
    """They reach the encoder as given."""
    options = choose_target(Path("out.mkv"), info, EncodingWish(crf=27, speed="fast")).encode.options
    assert (options["crf"], options["preset"]) == ("27", "fast")


@pytest.mark.parametrize(("name", "muxer"), [("out.mkv", "matroska"), ("OUT.MOV", "mp4")])
def test_lossless_is_ffv1(info, name, muxer):
    """With checksums, in slices, every frame on its own."""
    target = choose_target(Path(name), info, EncodingWish(lossless=True))
    assert (target.encode.codec, target.container, target.reorder) == ("ffv1", muxer, 0)
    assert target.encode.options["slicecrc"] == "1"
    assert target.encode.options["g"] == "1"


def test_lossless_in_mp4_is_refused_with_a_way_out(info):
    """Players of .mp4 files do not know FFV1."""
    with pytest.raises(BadInput) as caught:
        choose_target(Path("out.mp4"), info, EncodingWish(lossless=True))
    assert ".mkv or .mov" in caught.value.hint


@pytest.mark.parametrize("name", ["out.avi", "out.gifv", "out"])
def test_unknown_suffixes_are_refused(info, name):
    """The hint lists the ones that are written."""
    with pytest.raises(OutputRefused) as caught:
        choose_target(Path(name), info)
    assert ".mkv" in caught.value.hint


def test_ten_bits_stay_ten_bits(info):
    """For either encoder."""
    deep = with_format(info, "yuv420p10le", 10)
    assert choose_target(Path("out.mp4"), deep).encode.pix_fmt == "yuv420p10le"
    assert choose_target(Path("out.mkv"), deep, EncodingWish(lossless=True)).encode.pix_fmt == "yuv420p10le"


def test_what_cannot_be_kept_is_said(info):
    """Twelve bits become ten, transparency is lost, and the notes say so."""
    target = choose_target(Path("out.mov"), with_format(info, "yuva444p12le", 12))
    assert target.encode.pix_fmt == "yuv444p10le"
    assert any("10 bits" in note for note in target.notes)
    assert any("transparency" in note for note in target.notes)


@pytest.mark.parametrize(
    ("encoder", "wanted", "chosen"),
    [
        ("libx264", "yuv422p", "yuv422p"),
        ("libx264", "yuvj420p", "yuvj420p"),
        ("libx264", "yuv411p", "yuv422p"),
        ("libx264", "rgb24", "yuv444p"),
        ("libx264", "yuv420p12le", "yuv420p10le"),
        ("libx264", "gray", "gray"),
        ("libx264", "pal8", "yuv444p"),
        ("libx265", "rgb24", "gbrp"),
        ("libx265", "yuv422p12le", "yuv422p12le"),
        ("ffv1", "rgb48le", "rgb48le"),
        ("ffv1", "yuv410p", "yuv410p"),
        ("ffv1", "nv12", "yuv420p"),
    ],
)
def test_the_nearest_format_loses_least(encoder, wanted, chosen):
    """Depth before colour resolution before layout."""
    assert nearest_format(encoder, wanted, is_odd=False) == chosen


def test_odd_sizes_get_a_format_that_takes_them(tmp_path):
    """libx264 refuses halved colour with an odd side; the size is kept and the colour is not halved."""
    clip = make_clip(tmp_path / "odd.mkv", codec="ffv1", size=(161, 97), num_frames=3)
    target = choose_target(Path("out.mp4"), probe(clip))
    assert target.encode.pix_fmt == "yuv444p"
    assert any("yuv444p" in note for note in target.notes)
    assert (
        choose_target(Path("out.mkv"), probe(clip), EncodingWish(lossless=True)).encode.pix_fmt == "yuv420p"
    )
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 161, 97, target.encode.pix_fmt, 25
    encoder.options = dict(target.encode.options)
    encoder.open()


@pytest.mark.parametrize("name", SOFTWARE.values())
@pytest.mark.parametrize("size", [(16, 16), (64, 48), (320, 240)])
def test_every_encoder_takes_its_options(info, name, size):
    """All options are known to the encoder, at any size."""
    small = replace(info, video=replace(info.video, width=size[0], height=size[1]))
    spec = choose_target(Path("out.mkv"), small, EncodingWish(encoder=name)).encode
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.framerate, encoder.options = spec.pix_fmt, 25, dict(spec.options)
    encoder.open()
    frame = av.VideoFrame(*size, spec.pix_fmt)
    frame.pts = 0
    assert len([*encoder.encode(frame), *encoder.encode(None)]) == 1


def test_audio_that_the_container_cannot_hold_is_refused_early(info):
    """The message names the stream, the hint a container that can."""
    with pytest.raises(BadInput, match=r"audio stream 1 \(truehd, en\)") as caught:
        choose_target(Path("out.mp4"), with_audio(info, "truehd"))
    assert ".mkv" in caught.value.hint
    choose_target(Path("out.mkv"), with_audio(info, "truehd"))


@pytest.mark.parametrize("codec", ["aac", "mp3", "ac3", "opus", "flac"])
def test_common_audio_goes_into_mp4(info, codec):
    """Copied as it is."""
    assert choose_target(Path("out.mp4"), with_audio(info, codec)).container == "mp4"


@pytest.mark.parametrize(("codec", "muxer"), [("aac", "mov"), ("opus", "mp4"), ("flac", "mp4")])
def test_a_mov_takes_its_mp4_form_where_the_audio_needs_it(info, codec, muxer):
    """QuickTime's own form has no place for some audio."""
    assert choose_target(Path("out.mov"), with_audio(info, codec)).container == muxer


def test_matroskas_rounding_is_said_where_it_matters(info):
    """Only where the input's times are finer than milliseconds."""
    assert any("milliseconds" in note for note in choose_target(Path("out.mkv"), info).notes)
    coarse = replace(info, video=replace(info.video, time_base=info.video.time_base.__class__(1, 1000)))
    assert choose_target(Path("out.mkv"), coarse).notes == ()


def test_unknown_encoders_are_refused(info):
    """So is a lossy one where lossless was asked for."""
    with pytest.raises(BadInput, match="libfoo"):
        choose_target(Path("out.mp4"), info, EncodingWish(encoder="libfoo"))
    with pytest.raises(BadInput):
        choose_target(Path("out.mkv"), info, EncodingWish(encoder="prores_ks", lossless=True))


def test_a_target_survives_json(info):
    """What the job's row holds is what was chosen."""
    target = choose_target(Path("out.mkv"), with_format(info, "yuva420p"), EncodingWish(crf=20))
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target
