"""What `farm demo` does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from farm.cli.exits import DONE
from farm.cli.options import HostingOptions, JobOptions
from farm.cli.outcome import conclude
from farm.cli.rendering import render_request
from farm.demo import make_clip, make_poster, packaged
from farm.errors import OutputRefused
from farm.media.probe import probe

#: The portraits that come with the farm: who is seen in the clip, and whose face is fused in.
TARGET, SOURCE = "grace_hopper.jpg", "eileen_collins.jpg"


def run_demo(video: Path | None, source: Path | None, directory: Path, *, as_json: bool) -> int:
    """Render a clip, and make a picture of input and output side by side; return the exit code."""
    _make_directory(directory)
    with ExitStack() as stack:
        face = source or stack.enter_context(packaged(SOURCE))
        clip = video or _demo_clip(directory)
        request = _options(clip, face, directory / f"{clip.stem}-fused.mp4").request()
        view = render_request(request, HostingOptions())
    code = conclude(view, as_json=as_json)
    if code == DONE:
        poster = directory / "side-by-side.jpg"
        make_poster(Path(view.input), Path(view.output), poster, at_s=_middle_s(clip))
        sys.stderr.write(f"input and output side by side: {poster}\n")
    return code


def _demo_clip(directory: Path) -> Path:
    clip = directory / "demo.mp4"
    with packaged(TARGET) as portrait:
        make_clip(portrait, clip)
    return clip


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputRefused(
            f"cannot make {directory}: {error.strerror}", hint="choose another with -o"
        ) from error


def _middle_s(clip: Path) -> float:
    length_s = probe(clip.absolute()).duration_s
    return 0.0 if length_s is None else float(length_s) / 2


def _options(clip: Path, face: Path, output: Path) -> JobOptions:
    return JobOptions(
        input=clip,
        source=face,
        output=output,
        overwrite=True,  # the demo's own results, from the last time
    )
