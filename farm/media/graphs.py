"""What the ffmpeg program is told to do with the rendered video: its filter graph and its encoder."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ffmpeg

from broker.framing import StreamHeader
from farm.media.continuous import return_format
from farm.media.second_encode import FEED_FORMAT
from farm.media.target import Target

_UNSPECIFIED = 2  # of ISO/IEC 23091-2's codes for colour
_RGB = 0  # of its matrix coefficients

#: FFmpeg's options that mean something else when no stream is named.
_FOR_VIDEO = ("b", "profile", "q")

#: Sharp, without the halos of sinc: what is made smaller is looked at closely.
_SCALER = "lanczos+accurate_rnd+full_chroma_int"


def video_graph(target: Target, header: StreamHeader, tick: Fraction, num_frames: int) -> Any:
    """Return the graph of a video: from `pipe:0` to `pipe:1`, stamped by frame in units of `tick`.

    `header` describes the chunks; `num_frames` are wanted.
    """
    options = {
        "c:v": target.encode.codec,
        "pix_fmt": target.encode.pix_fmt,
        **{_named(name): value for name, value in target.encode.options.items()},
        **_colours(header),
        "fps_mode": "passthrough",
        "enc_time_base": str(tick),
        "frames:v": num_frames,
        "avoid_negative_ts": "disabled",  # NUT would move all frames by the encoder's delay
    }
    form = return_format(target.codec)
    if form == "mov":  # a pipe cannot be sought in: the index goes in front of each fragment
        options["movflags"] = "frag_keyframe+empty_moov"
    return ffmpeg.output(_shaped(target, header), "pipe:1", format=form, **options)


def gif_graph(target: Target, header: StreamHeader, path: str, num_frames: int) -> Any:
    """Return the graph of a GIF. Each frame has its own palette: one for all would need all in memory."""
    frames = _shaped(target, header).split()
    palette = frames[0].filter("palettegen", stats_mode="single")
    shown = ffmpeg.filter([frames[1], palette], "paletteuse", new=1)
    return ffmpeg.output(shown, f"file:{path}", **{"f": "gif", "frames:v": num_frames})


def still_graph(target: Target, header: StreamHeader, path: str, frame: int) -> Any:
    """Return the graph of a still: of the frames that come, the one at index `frame`."""
    shown = _shaped(target, header).filter("select", f"eq(n,{frame})")
    options = {
        "c:v": target.encode.codec,
        "pix_fmt": target.encode.pix_fmt,
        **target.encode.options,
        "f": "image2",
        "update": 1,
        "frames:v": 1,
    }
    return ffmpeg.output(shown, f"file:{path}", **options)


def _shaped(target: Target, header: StreamHeader) -> Any:
    video = ffmpeg.input("pipe:0", format=FEED_FORMAT).video
    known = _colours(header)
    if known:
        video = video.filter("setparams", **{_PARAMETERS[name]: value for name, value in known.items()})
    if target.size is not None:
        width, height = target.size
        video = video.filter("scale", width, height, flags=_SCALER)
    if target.rate is not None:
        # The last frame is held until enough are made: where the program ends it, is `num_frames`' to say.
        video = video.filter("fps", str(target.rate), start_time=0, round="near")
        video = video.filter("tpad", stop=-1, stop_mode="clone")
    return video


_PARAMETERS = {
    "color_primaries": "color_primaries",
    "color_trc": "color_trc",
    "colorspace": "colorspace",
    "color_range": "range",
}


def _colours(header: StreamHeader) -> dict[str, int]:
    """Return what is known of the colours, as FFmpeg's numbers; FFV1 and the pipe carry none of it."""
    tags = {
        "color_primaries": header.color_primaries,
        "color_trc": header.color_trc,
        "colorspace": header.colorspace,
    }
    known = {name: value for name, value in tags.items() if value not in {_UNSPECIFIED, _RGB}}
    return known | ({"color_range": header.color_range} if header.color_range else {})


def _named(option: str) -> str:
    return f"{option}:v" if option in _FOR_VIDEO else option
