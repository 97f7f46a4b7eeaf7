"""Clips for tests: every frame carries its own number, in blocks that survive lossy coding."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import numpy as np

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 talks on stderr otherwise

NUM_BITS = 16
_BLACK, _WHITE = 16, 235
_AUDIO_RATE = 48_000

#: How each encoder is told about its GOPs. x264's name for B-frames holds for all that have any.
_GOP_OPTIONS = {
    "libx264": lambda is_open: {"preset": "veryfast", "x264-params": f"open-gop={int(is_open)}:scenecut=0"},
    "libx265": lambda is_open: {
        "preset": "ultrafast",
        "x265-params": f"open-gop={int(is_open)}:scenecut=0:log-level=none:pools=1:frame-threads=1",
    },
    "libsvtav1": lambda _: {"preset": "12", "svtav1-params": "lp=1"},
    "libvpx-vp9": lambda _: {
        "cpu-used": "8",
        "deadline": "realtime",
        "auto-alt-ref": "1",
        "lag-in-frames": "8",
    },
    "libvpx": lambda _: {"cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "8", "b": "300k"},
}
_WITHOUT_B_FRAMES = {"libsvtav1", "libvpx-vp9", "libvpx", "ffv1", "mjpeg", "prores_ks"}


def make_clip(
    path: Path,
    *,
    codec: str = "libx264",
    fps: Fraction | int = 25,
    num_frames: int = 50,
    size: tuple[int, int] = (160, 96),
    gop: int = 12,
    bframes: int = 2,
    open_gop: bool = False,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    start: int = 0,
    audio: Sequence[str] = (),
    audio_s: float | None = None,
    languages: Sequence[str] = (),
    chapters: Sequence[tuple[str, int, int]] = (),
    pix_fmt: str = "yuv420p",
    container: str | None = None,
    options: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    mux_options: Mapping[str, str] | None = None,
    rotation: int = 0,
    hflip: bool = False,
) -> Path:
    """Write a clip and return its path.

    Frame n is shown at `pts[n]`, else at n, plus `start`, in `time_base` (one frame by default). `audio`
    names an encoder a track, such as "aac"; tracks are sines of different pitch, `audio_s` seconds long, else
    as long as the video. `chapters` are (title, start, end) in milliseconds.
    """
    rate = Fraction(fps)
    base = time_base or 1 / rate
    times = [start + time for time in (pts if pts is not None else range(num_frames))]
    with av.open(str(path), "w", format=container, container_options=dict(mux_options or {})) as output:
        output.metadata.update(tags or {})
        stream = _add_video(output, codec, rate, base, size)
        stream.pix_fmt = pix_fmt
        stream.gop_size = gop
        if codec not in _WITHOUT_B_FRAMES:
            stream.max_b_frames = bframes
        stream.options = {**_GOP_OPTIONS.get(codec, lambda _: {})(open_gop), **(options or {})}
        if rotation or hflip:
            stream.set_display_rotation(rotation, hflip=hflip)
        tracks = _add_tracks(output, audio, languages)
        output.set_chapters([_chapter(number, *chapter) for number, chapter in enumerate(chapters, 1)])
        for picture, time in zip(pictures(size, pix_fmt), times, strict=False):
            picture.pts, picture.time_base = time, base
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
        length_s = Fraction(audio_s) if audio_s else (times[-1] - times[0]) * base + 1 / rate
        for pitch, track in enumerate(tracks, 1):
            _add_sine(output, track, 220 * pitch, start_s=times[0] * base, length_s=length_s)
    return path


def pictures(size: tuple[int, int], pix_fmt: str = "yuv420p") -> Iterator[av.VideoFrame]:
    """Yield numbered frames without end: the number on top, moving noise below."""
    width, height = (side + side % 2 for side in size)
    random = np.random.default_rng(1)
    noise = random.integers(64, 192, (height // 8 + 1, width // 8 + 1), np.uint8).repeat(8, 0).repeat(8, 1)
    for number in count():
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = np.roll(noise, (number, 3 * number), (0, 1))[:height, :width]
        planes[: height // 4] = _number_row(number, width)
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        if (width, height) != tuple(size) or pix_fmt != "yuv420p":
            picture = picture.reformat(*size, format=pix_fmt)
        yield picture


def read_number(picture: av.VideoFrame) -> int:
    """Return the number that a frame carries."""
    luma = picture.to_ndarray(format="gray")
    row = luma[: picture.height // 8].mean(axis=0)
    blocks = np.array_split(row, NUM_BITS)
    middles = [
        block[len(block) // 4 : max(len(block) // 4 + 1, 3 * len(block) // 4)].mean() for block in blocks
    ]
    return sum(1 << bit for bit, level in enumerate(middles) if level > (_BLACK + _WHITE) / 2)


def read_numbers(path: Path) -> list[int]:
    """Return the numbers of a file's frames, as they are shown."""
    with av.open(str(path)) as container:
        return [read_number(picture) for picture in container.decode(video=0)]


def _number_row(number: int, width: int) -> np.ndarray:
    levels = [_WHITE if number >> bit & 1 else _BLACK for bit in range(NUM_BITS)]
    row = np.empty(width, np.uint8)
    for level, block in zip(levels, np.array_split(np.arange(width), NUM_BITS), strict=True):
        row[block] = level
    return row


def _add_video(output, codec: str, rate: Fraction, base: Fraction, size: tuple[int, int]):
    stream = output.add_stream(codec, rate=rate)
    stream.width, stream.height = size
    stream.codec_context.time_base = stream.time_base = base
    stream.codec_context.thread_count = 1
    return stream


def _add_tracks(output, audio: Sequence[str], languages: Sequence[str]) -> list:
    tracks = [output.add_stream(name, rate=_AUDIO_RATE, layout="mono") for name in audio]
    for track, language in zip(tracks, languages, strict=False):
        track.metadata["language"] = language
    return tracks


def _chapter(number: int, title: str, start_ms: int, end_ms: int) -> dict[str, object]:
    times = {"start": start_ms, "end": end_ms, "time_base": Fraction(1, 1000)}
    return {"id": number, **times, "metadata": {"title": title}}


def _add_sine(output, track, pitch: int, *, start_s: Fraction, length_s: Fraction) -> None:
    first, total = round(start_s * _AUDIO_RATE), round(length_s * _AUDIO_RATE)
    step = 1024
    for at in range(0, total, step):
        angle = 2 * np.pi * pitch / _AUDIO_RATE * np.arange(at, min(at + step, total))
        samples = (0.4 * np.sin(angle) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = _AUDIO_RATE
        frame.pts, frame.time_base = first + at, Fraction(1, _AUDIO_RATE)
        output.mux(track.encode(frame))
    output.mux(track.encode(None))
