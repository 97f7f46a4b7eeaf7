"""The options that say how the output is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from farm.codings import Codec as Coding
from farm.codings import X264Preset

_PANEL = "How the output is encoded"

Codec = Annotated[
    Coding | None,
    typer.Option(
        "--codec",
        help="What the video is written as. ProRes goes into .mov, FFV1 into .mkv and .mov. "
        "[default: h264; in .webm vp9]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Encoder = Annotated[
    str,
    typer.Option(
        "--encoder",
        metavar="NAME",
        help="auto: in software, the same on every machine. nvenc: on the workers' GPUs, if they have it. "
        "Or FFmpeg's own name: libsvtav1.",
        rich_help_panel=_PANEL,
    ),
]
Lossless = Annotated[
    bool,
    typer.Option(
        "--lossless",
        help="Lose nothing: FFV1, into .mkv or .mov, or the --codec's own lossless mode.",
        rich_help_panel=_PANEL,
    ),
]
Crf = Annotated[
    int | None,
    typer.Option(
        "--crf",
        min=0,
        max=63,
        metavar="N",
        help="Quality: lower is better. [default: looks like the input: h264 18, hevc 20, av1 24, vp9 22]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
PixFmt = Annotated[
    str | None,
    typer.Option(
        "--pix-fmt",
        metavar="FORMAT",
        help="FFmpeg's name of a pixel format: yuv420p10le. [default: nearest to the input's]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Gop = Annotated[
    int | None,
    typer.Option(
        "--gop",
        min=1,
        max=1000,
        metavar="N",
        help="Frames between keyframes, at most. [default: two seconds' worth]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Bitrate = Annotated[
    str | None,
    typer.Option(
        "--bitrate",
        metavar="RATE",
        help="Bits a second, on average, instead of --crf: 8M, 800k. Encoded once, as a whole.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Resize = Annotated[
    str | None,
    typer.Option(
        "--resize",
        metavar="SIZE",
        help="Another picture size: 1280x720, or 720 for the height alone.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Fps = Annotated[
    str | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        help="Another frame rate: 25, 29.97, 30000/1001. Frames are repeated or left out, none is made up. "
        "[default: the input's own times]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Fragmented = Annotated[
    bool,
    typer.Option("--fragmented", help="MP4 in fragments, for streaming as it is.", rich_help_panel=_PANEL),
]
EncoderPreset = Annotated[
    X264Preset,
    typer.Option(
        "--encoder-preset",
        help="The encoder's speed, in x264's words; slower makes smaller files.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """How the output is encoded."""

    codec: Codec = None
    encoder: Encoder = "auto"
    lossless: Lossless = False
    crf: Crf = None
    bitrate: Bitrate = None
    encoder_preset: EncoderPreset = "medium"
    pix_fmt: PixFmt = None
    gop: Gop = None
    resize: Resize = None
    fps: Fps = None
    fragmented: Fragmented = False
