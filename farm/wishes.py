"""What a request asks of each output: its preset's, or what the job's own options say."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from farm.media.delivery import OutputWish
from farm.media.info import MediaInfo
from farm.media.presets import Preset, preset_for
from farm.media.shapes import Shape, limited, parse_bitrate, parse_rate, parse_resize, resized
from farm.media.wishes import EncodingWish
from farm.requests import JobRequest


def wished_outputs(request: JobRequest, info: MediaInfo) -> list[OutputWish]:
    """Return what is asked of every output. A preset brings its own settings; the rate is the whole job's.

    Raises:
        BadInput: no such preset, or an option that is none.
    """
    wanted = [(each.path, each.preset) for each in request.to or ()]
    if request.output not in [path for path, _ in wanted]:
        wanted.insert(0, (request.output, None))
    return [_wish(Path(path), preset_for(Path(path), name), request, info) for path, name in wanted]


def _wish(path: Path, preset: Preset | None, request: JobRequest, info: MediaInfo) -> OutputWish:
    rate = None if request.fps is None else parse_rate(request.fps)
    if preset is None:
        return _own_wish(path, request, info, rate=rate)
    side = preset.shorter_side_px
    shape = Shape(
        size=None if side is None else limited(info.video.upright_size, side),
        rate=preset.rate or (rate if preset.kind == "video" else None),
        depth=preset.depth,
    )
    encoding = replace(preset.encoding, encoder=request.encoder, speed=request.encoder_preset)
    return OutputWish(path=path, kind=preset.kind, encoding=encoding, shape=shape)


def _own_wish(path: Path, request: JobRequest, info: MediaInfo, *, rate: Fraction | None) -> OutputWish:
    size = None if request.resize is None else resized(info.video.upright_size, parse_resize(request.resize))
    return OutputWish(
        path=path,
        encoding=_encoding(request),
        shape=Shape(size=None if size == info.video.upright_size else size, rate=rate),
        is_fragmented=request.fragmented,
    )


def _encoding(request: JobRequest) -> EncodingWish:
    return EncodingWish(
        codec=request.codec,
        encoder=request.encoder,
        lossless=request.lossless,
        crf=request.crf,
        bitrate=None if request.bitrate is None else parse_bitrate(request.bitrate),
        speed=request.encoder_preset,
        pix_fmt=request.pix_fmt,
        gop=request.gop,
    )
