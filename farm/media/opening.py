"""The one place that opens a video for reading: what FFmpeg may touch, and how its errors are renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container
import av.error

from farm.errors import BadInput, EmptyFile, NotAVideo, TruncatedVideo, UnsupportedMedia
from farm.media.wholeness import has_movie_box, is_box_file

#: FFmpeg's demuxers that read one self-contained file. Playlists (hls, dash, concat), numbered pictures
#: (image2), devices and everything else that names other files is left out on purpose.
DEMUXERS = (
    "mov,matroska,mpegts,mpeg,avi,flv,asf,ogg,mxf,nut,ivf,wtv,rm,dv,gxf,yuv4mpegpipe,"
    "h264,hevc,vvc,m4v,mpegvideo,obu,av1,vc1"
)

_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}

GENERATE_PTS = 0x0001  # AVFMT_FLAG_GENPTS

#: HEIF and AVIF brands: still pictures in an MP4's clothes (ISO/IEC 23008-12).
_STILL_BRANDS = (b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1")

#: How playlists begin: they name other files, which nobody asked us to read.
_PLAYLIST_HEADS = (b"#EXTM3U", b"ffconcat", b"#!rtpdump", b"v=0", b"<?xml", b"<MPD", b"[playlist]")

_HEAD_BYTES = 64

CUT_SHORT_HINT = "the file was cut short or is damaged: copy it again; --salvage renders what is left of it"


@contextmanager
def open_video(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a file for reading; time stamps are left as they lie there (nothing is guessed).

    Raises:
        EmptyFile, NotAVideo, TruncatedVideo, UnsupportedMedia: as `farm.errors` says.
        BadInput: no such file, or it may not be read.
    """
    _check_file(path)
    try:
        container = av.open(f"file:{path.absolute()}", options=dict(_OPTIONS), metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise _renamed(path, error) from error
    with container:
        # PyAV asks for generated time stamps; a guess that depends on where reading began is no use here.
        container.flags &= ~GENERATE_PTS
        yield container


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Rename FFmpeg's errors while packets are read.

    Raises:
        TruncatedVideo: FFmpeg gave up inside the file.
    """
    try:
        yield
    except av.error.FFmpegError as error:
        raise TruncatedVideo(
            f"{path.name} cannot be read to its end: {error.strerror}",
            hint="the file is damaged or incomplete: copy it again, or repair it with a remux",
        ) from error


def _check_file(path: Path) -> None:
    if not path.exists():
        raise BadInput(f"no such file: {path}", hint="check the path", code="no-such-file")
    if not path.is_file():
        raise NotAVideo(f"{path} is not a file", hint="name a video file")
    if not os.access(path, os.R_OK):
        raise BadInput(f"{path} cannot be read", hint="check its permissions", code="unreadable-file")
    if path.stat().st_size == 0:
        raise EmptyFile(f"{path.name} has no bytes", hint="copy or export the video again")
    if _head(path)[8:12] in _STILL_BRANDS:
        raise NotAVideo(f"{path.name} is a still picture", hint="name a video file")


def _renamed(path: Path, error: av.error.FFmpegError) -> BadInput:
    head = _head(path)
    if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(_PLAYLIST_HEADS):
        return UnsupportedMedia(
            f"{path.name} is a playlist: it names other files",
            hint="join them first, for instance with ffmpeg -i PLAYLIST -c copy joined.mkv",
        )
    if is_box_file(path) and not has_movie_box(path):
        return TruncatedVideo(
            f"{path.name} has no index (no moov box): its recording or its copy was cut short",
            hint="copy the file again from where it was recorded",
        )
    return NotAVideo(
        f"{path.name} is not a video that can be read here ({error.strerror})",
        hint="check with ffprobe that it plays; pictures, playlists and text are not videos",
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
