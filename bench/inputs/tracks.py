"""Kinds by what lies beside the picture: sound, subtitles, chapters, attachments, tags."""

from __future__ import annotations

from pathlib import Path

from bench.clips import SOURCE
from bench.inputs.bitmap_subtitles import write_sup
from bench.inputs.kind import Kind

_X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 20 -bf 2"
_TAGS = "-metadata artist=Nobody -metadata title=Outing -metadata:s:v title=Camera"

_CHAPTERS = (
    ";FFMETADATA1\ntitle=A day out\nartist=Nobody\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=900\nEND=2000\ntitle=Two\n"
)
_LINES = "1\n00:00:00,200 --> 00:00:00,900\nHello\n\n2\n00:00:01,200 --> 00:00:01,900\nworld\n"


def _chapters(folder: Path) -> Path:
    return _written(folder / "chapters.ffmeta", _CHAPTERS)


def _lines(folder: Path) -> Path:
    return _written(folder / "lines.srt", _LINES)


def _bitmap(folder: Path) -> Path:
    return write_sup(folder / "lines.sup")


def _cover(folder: Path) -> Path:  # noqa: ARG001 - a maker's signature
    return SOURCE


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


SOUND = (
    Kind(name="two-languages", suffix=".mp4", tone=2,
         encode=f"-map 0 -map 1 -map 2 {_X264} -c:a aac -metadata:s:a:0 language=deu -metadata:s:a:1 language=fra"
         " -disposition:a:1 default -disposition:a:0 0"),
    Kind(name="three-codecs", suffix=".mkv", tone=3, output=".mkv",
         encode=f"-map 0 -map 1 -map 2 -map 3 {_X264} -c:a:0 aac -c:a:1 ac3 -c:a:2 libopus"),
    Kind(name="pcm-24-bit", suffix=".mov", tone=1, encode=f"{_X264} -c:a pcm_s24le"),
    Kind(name="aac-with-priming", suffix=".mp4", tone=1, encode=f"{_X264} -c:a aac"),
    Kind(name="opus", suffix=".mp4", tone=1, encode=f"{_X264} -c:a libopus", output=".mkv"),
    Kind(name="ac3", suffix=".mkv", tone=1, encode=f"{_X264} -c:a ac3"),
    Kind(name="sound-longer", suffix=".mkv", tone=1, encode=f"{_X264} -c:a aac -vf trim=duration=1.2", output=".mkv"),
)  # fmt: skip

BESIDE = (
    Kind(name="subtitles-text", suffix=".mkv", tone=1, beside=(_lines,), output=".mkv",
         encode=f"-map 0 -map 1 -map 2 {_X264} -c:a aac -c:s subrip -metadata:s:s language=eng"),
    Kind(name="subtitles-text-to-mov", suffix=".mkv", beside=(_lines,), encode=f"-map 0 -map 1 {_X264} -c:s subrip"),
    Kind(name="subtitles-mp4", suffix=".mp4", beside=(_lines,),
         encode=f"-map 0 -map 1 {_X264} -c:s mov_text -metadata:s:s language=eng"),
    Kind(name="subtitles-ass", suffix=".mkv", beside=(_lines,), encode=f"-map 0 -map 1 {_X264} -c:s ass", output=".mkv"),
    Kind(name="subtitles-bitmap", suffix=".mkv", beside=(_bitmap,), encode=f"-map 0 -map 1 {_X264} -c:s copy", output=".mkv"),
    Kind(name="subtitles-bitmap-to-mov", suffix=".mkv", beside=(_bitmap,), encode=f"-map 0 -map 1 {_X264} -c:s copy"),
    Kind(name="chapters-mkv", suffix=".mkv", beside=(_chapters,), encode=f"-map 0 -map_metadata 1 {_X264}", output=".mkv"),
    Kind(name="chapters-mp4", suffix=".mp4", beside=(_chapters,), encode=f"-map 0 -map_metadata 1 {_X264}"),
    Kind(name="attachment", suffix=".mkv", output=".mkv",
         encode=f"{_X264} -attach {__file__} -metadata:s:t mimetype=text/plain -metadata:s:t filename=tracks.py"),
    Kind(name="cover-mp4", suffix=".mp4", beside=(_cover,),
         encode="-map 0 -map 1 -c:v:0 libx264 -preset veryfast -pix_fmt:v:0 yuv420p -g 20 -c:v:1 copy"
         " -disposition:v:1 attached_pic"),
    Kind(name="cover-mkv", suffix=".mkv", output=".mkv",
         encode=f"{_X264} -attach {SOURCE} -metadata:s:t mimetype=image/jpeg -metadata:s:t filename=cover.jpg"),
    Kind(name="timecode-mov", suffix=".mov", encode=f"{_X264} -timecode 01:02:03:04"),
    Kind(name="timecode-mkv", suffix=".mkv", encode=f"{_X264} -metadata:s:v timecode=01:02:03:04", output=".mkv"),
    Kind(name="tags-mkv", suffix=".mkv", encode=f"{_X264} {_TAGS} -metadata camera=Box", output=".mkv"),
    Kind(name="tags-mp4", suffix=".mp4", encode=f"{_X264} {_TAGS}"),
    Kind(name="tags-mov", suffix=".mov",
         encode=f"{_X264} {_TAGS} -movflags use_metadata_tags -metadata com.example.lens=50mm"),
    Kind(name="second-video", suffix=".mkv", encode="-map 0 -map 0 -c:v libx264 -preset veryfast -pix_fmt yuv420p -disposition:v:0 default -disposition:v:1 0", output=".mkv"),
)  # fmt: skip
