"""A clip to try the farm on, made from a still portrait, and a picture that shows what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import ffmpeg

from farm.ffmpeg_program import run_ffmpeg

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 25, 6

#: How far the camera rolls each way, in radians: a detector of upright faces bears that easily.
ROLL = 0.14

#: The scene is larger than the picture: the camera moves by whole pixels of it, and finer ones jerk less.
SCENE_WIDTH, SCENE_HEIGHT = 3 * WIDTH // 2, 3 * HEIGHT // 2

#: Height of the portrait in the scene, in pixels.
FIGURE_HEIGHT = 750

#: The camera's widest view and how far it zooms in. Where it rolls, a wider view would bare the corners:
#: cos(ROLL) + 16 / 9 * sin(ROLL) = 1.24.
WIDEST, ZOOM = 1.27, 0.4

#: Height of the picture of input and output side by side, in pixels.
POSTER_HEIGHT = 720


@contextmanager
def packaged(name: str) -> Iterator[Path]:
    """Yield the path of one of the portraits that come with the farm."""
    with resources.as_file(resources.files("farm") / "assets" / name) as path:
        yield path


def make_clip(portrait: Path, output: Path) -> None:
    """Write a clip in which a portrait moves, turns and grows before a blurred ground, with a sound track.

    Raises:
        FfmpegFailed: the portrait cannot be read, or the output not written.
    """
    still = ffmpeg.input(str(portrait), loop=1, framerate=FPS, t=SECONDS)
    copies = still.filter_multi_output("split")
    scene = ffmpeg.overlay(
        _ground(copies.stream(0)),
        copies.stream(1).filter("scale", -2, FIGURE_HEIGHT),
        x="(W-w)/2",
        y="(H-h)/2",
    )
    picture = _camera(scene)
    sound = ffmpeg.input(f"sine=frequency=220:sample_rate=48000:duration={SECONDS}", f="lavfi").audio
    hum = sound.filter("tremolo", f=2, d=0.6).filter("volume", 0.3)
    run_ffmpeg(
        ffmpeg.output(
            picture.filter("format", "yuv420p"),
            hum,
            str(output),
            **{"c:v": "libx264", "crf": 16, "preset": "veryfast", "c:a": "aac", "t": SECONDS},
        )
    )


def make_poster(
    left: Path, right: Path, poster: Path, *, at_s: float, right_at_s: float | None = None
) -> None:
    """Write a picture of two videos' frames side by side: at `at_s` seconds, or the right at its own time.

    Raises:
        FfmpegFailed: one cannot be read there, or the picture not written.
    """
    halves = [
        ffmpeg.input(str(path), ss=seconds).video.filter("scale", -2, POSTER_HEIGHT).filter("setsar", 1)
        for path, seconds in ((left, at_s), (right, at_s if right_at_s is None else right_at_s))
    ]
    run_ffmpeg(ffmpeg.filter(halves, "hstack").output(str(poster), vframes=1, **{"q:v": 2}))


def make_pair(left: Path, right: Path, poster: Path, *, turn: tuple[bool, int]) -> None:
    """Write a picture of two pictures side by side; the left one is mirrored and turned as `turn` says.

    Raises:
        FfmpegFailed: one cannot be read, or the picture not written.
    """
    is_mirrored, degrees = turn
    halves = [_still(left), _still(right)]
    if is_mirrored:
        halves[0] = halves[0].filter("hflip")
    for _ in range(degrees // 90):
        halves[0] = halves[0].filter("transpose", "cclock")
    halves = [half.filter("scale", -2, POSTER_HEIGHT).filter("setsar", 1) for half in halves]
    run_ffmpeg(ffmpeg.filter(halves, "hstack").output(str(poster), vframes=1, **{"q:v": 2}))


def _still(path: Path) -> Any:
    """Return a picture as it is stored: whether programs turn it as it says depends on their version."""
    return ffmpeg.input(str(path), f="image2", pattern_type="none", noautorotate=None).video.filter(
        "format", "rgb24"
    )


def _ground(still: Any) -> Any:
    filled = still.filter("scale", SCENE_WIDTH, SCENE_HEIGHT, force_original_aspect_ratio="increase")
    # Blurred while it is small: the same look for a fraction of the time.
    small = filled.filter("crop", SCENE_WIDTH, SCENE_HEIGHT).filter("scale", WIDTH // 8, HEIGHT // 8)
    return small.filter("gblur", sigma=6).filter("scale", SCENE_WIDTH, SCENE_HEIGHT)


def _camera(scene: Any) -> Any:
    """The scene, seen by a camera that rolls, pans and zooms."""
    rolled = scene.filter("rotate", f"{ROLL}*sin(2*PI*t/5)")
    seconds = f"on/{FPS}"
    return rolled.filter(
        "zoompan",
        z=f"{WIDEST}+{ZOOM}*(1-cos(2*PI*{seconds}/{SECONDS}))/2",
        x=f"(iw-iw/zoom)/2*(1+0.6*sin(2*PI*{seconds}/4))",
        y=f"(ih-ih/zoom)/2*(1+0.3*cos(2*PI*{seconds}/3))",
        d=1,
        s=f"{WIDTH}x{HEIGHT}",
        fps=FPS,
    )
