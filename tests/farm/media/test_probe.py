"""Headers are read as they are, and what is no video is refused with a hint."""

from __future__ import annotations

import io
import json
from fractions import Fraction

import av
import numpy as np
import pytest

from farm.errors import (
    BadInput,
    EmptyFile,
    NotAVideo,
    NoVideoStream,
    TruncatedVideo,
    UnsupportedMedia,
)
from farm.media.info import MediaInfo
from farm.media.probe import probe
from tests.clips import make_clip, pictures


def test_a_header_is_read_in_full(tmp_path):
    """Sizes, times, formats and streams are the ones that the clip was made with."""
    clip = make_clip(
        tmp_path / "clip.mp4",
        fps=Fraction(30000, 1001),
        num_frames=60,
        pix_fmt="yuv420p10le",
        audio=["aac", "ac3"],
    )
    info = probe(clip)
    assert info.size_bytes == clip.stat().st_size
    assert info.container.startswith("mov")
    assert info.duration_s == pytest.approx(60 * 1001 / 30000, abs=0.03)
    video = info.video
    assert (video.index, video.codec, video.decoder, video.codec_tag) == (0, "h264", "h264", "avc1")
    assert (video.width, video.height, video.pix_fmt, video.bit_depth) == (160, 96, "yuv420p10le", 10)
    assert video.average_rate == Fraction(30000, 1001)
    assert video.time_base == Fraction(1, 30000)
    assert video.has_b_frames
    assert [(stream.index, stream.kind, stream.codec) for stream in info.others] == [
        (1, "audio", "aac"),
        (2, "audio", "ac3"),
    ]
    assert info.audio == info.others
    assert info.audio[0].duration_s == pytest.approx(2.0, abs=0.1)


def test_colour_is_read(tmp_path):
    """Primaries, transfer, matrix and range come out as the codes that went in."""
    clip = make_clip(
        tmp_path / "clip.mp4",
        num_frames=3,
        options={"x264-params": "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=tv"},
    )
    video = probe(clip).video
    assert (video.color_primaries, video.color_trc, video.colorspace, video.color_range) == (9, 16, 9, 1)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_info_survives_json(tmp_path, suffix):
    """What the job's row holds is what was probed."""
    clip = make_clip(
        tmp_path / f"clip.{suffix}", num_frames=5, audio=["aac"], rotation=90 * (suffix == "mp4")
    )
    info = probe(clip)
    assert MediaInfo.from_json(json.loads(json.dumps(info.to_json()))) == info


def test_cover_art_is_not_the_video(tmp_path):
    """A picture attached to a song is listed as such, and the file has no video."""
    song = with_cover(tmp_path / "song.mp4", video=False)
    with pytest.raises(NoVideoStream) as caught:
        probe(song)
    assert caught.value.hint
    film = probe(with_cover(tmp_path / "film.mp4", video=True))
    assert film.video.codec == "h264"
    assert "cover" in [stream.kind for stream in film.others]


def with_cover(path, *, video: bool):
    """Write a file with a cover, sound, and perhaps video."""
    picture = next(pictures((64, 64))).reformat(format="yuvj420p")
    with av.open(str(path), "w") as output:
        film = output.add_stream("libx264", rate=25) if video else None
        if film is not None:
            film.width, film.height, film.pix_fmt = 160, 96, "yuv420p"
        sound = output.add_stream("aac", rate=48_000, layout="mono")
        cover = output.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = 0x400  # attached_pic
        if film is not None:
            for number, frame in zip(range(5), pictures((160, 96)), strict=False):
                frame.pts = number
                output.mux(film.encode(frame))
            output.mux(film.encode(None))
        picture.pts = 0
        output.mux([*cover.encode(picture), *cover.encode(None)])
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 48_000, 0
        output.mux([*sound.encode(silence), *sound.encode(None)])
    return path


def test_a_missing_file_is_named(tmp_path):
    """The message has the path."""
    with pytest.raises(BadInput, match=r"nowhere\.mp4") as caught:
        probe(tmp_path / "nowhere.mp4")
    assert (caught.value.code, bool(caught.value.hint)) == ("no-such-file", True)


def test_a_directory_is_no_video(tmp_path):
    """Only files are opened."""
    with pytest.raises(NotAVideo):
        probe(tmp_path)


def test_an_empty_file_is_told_apart(tmp_path):
    """Nothing to read is not the same as nothing understood."""
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(EmptyFile) as caught:
        probe(path)
    assert caught.value.hint


def png() -> bytes:
    memory = io.BytesIO()
    with av.open(memory, "w", format="image2pipe") as output:
        stream = output.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        output.mux([*stream.encode(next(pictures((64, 64), "rgb24"))), *stream.encode(None)])
    return memory.getvalue()


def gif() -> bytes:
    memory = io.BytesIO()
    with av.open(memory, "w", format="gif") as output:
        stream = output.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb8"
        for number, picture in zip(range(3), pictures((64, 64), "rgb8"), strict=False):
            picture.pts = number
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return memory.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"just some text, and more of it\n" * 50,
        png(),
        gif(),
        bytes(5000),
        b"1\n00:00:01,000 --> 00:00:02,000\nHi\n",
    ],
    ids=["text", "png", "gif", "zeros", "subtitles"],
)
def test_what_is_no_video_is_refused_whatever_its_name(tmp_path, content):
    """A name that ends in .mp4 makes no video of it."""
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises((NotAVideo, NoVideoStream)) as caught:
        probe(path)
    assert caught.value.hint


def test_sound_alone_has_no_video_stream(tmp_path):
    """Sound is understood, and refused for what it lacks."""
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", rate=48_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 48_000
        output.mux([*sound.encode(silence), *sound.encode(None)])
    with pytest.raises(NoVideoStream):
        probe(path)


def test_an_unfinished_recording_is_told_apart(tmp_path):
    """An MP4 without its index is a truncated video, not an unknown file."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=50)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(TruncatedVideo, match="moov") as caught:
        probe(clip)
    assert caught.value.hint


@pytest.mark.parametrize(
    "head",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
    ],
    ids=["hls", "concat"],
)
@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.ffconcat"])
def test_playlists_are_refused_and_read_nothing_else(tmp_path, head, name):
    """A file that names another must not make FFmpeg open that one."""
    secret = make_clip(tmp_path / "secret.ts", num_frames=30)
    path = tmp_path / name
    path.write_text(head.format(secret))
    with pytest.raises(UnsupportedMedia, match="playlist") as caught:
        probe(path)
    assert caught.value.hint


def test_numbered_names_are_no_picture_sequences(tmp_path):
    """A percent sign in a name means itself."""
    clip = make_clip(tmp_path / "clip.mp4", num_frames=5)
    odd = tmp_path / "100%d.mp4"
    clip.rename(odd)
    assert probe(odd).video.codec == "h264"
    with pytest.raises(BadInput, match="no such file"):
        probe(tmp_path / "%d.png")


@pytest.mark.parametrize("name", ["http:clip.mp4", "concat:clip.mp4", "-i.mp4", "ä ö.mp4", "a:b.mkv"])
def test_names_are_paths_not_protocols(tmp_path, monkeypatch, name):
    """Whatever a name looks like, it is opened as a file."""
    clip = make_clip(tmp_path / f"clip.{name[-3:]}", num_frames=5)
    clip.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(tmp_path.joinpath(name).relative_to(tmp_path)).video.width == 160


def test_still_pictures_in_an_mp4s_clothes_are_refused(tmp_path):
    """An AVIF file has an MP4's structure and is a photograph."""
    path = tmp_path / "photo.mp4"
    with av.open(str(path), "w", format="avif") as output:
        stream = output.add_stream("libsvtav1", rate=1, options={"svtav1-params": "lp=1"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        output.mux([*stream.encode(next(pictures((64, 64)))), *stream.encode(None)])
    with pytest.raises(NotAVideo, match="still"):
        probe(path)
