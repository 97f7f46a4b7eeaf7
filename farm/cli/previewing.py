"""What `farm preview` does: one frame, rendered as a job of one frame, beside the input's own."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

from farm.album.files import look
from farm.album.opening import is_pictures
from farm.album.picture import TURNS
from farm.cli.exits import DONE
from farm.cli.options import HostingOptions, JobOptions
from farm.cli.outcome import conclude, to_json
from farm.cli.rendering import render_request
from farm.cli.wording import json_line
from farm.config import absolute_path
from farm.demo import make_pair, make_poster
from farm.errors import BadInput, OutputRefused
from farm.media.moments import parse_moment
from farm.media.probe import probe
from farm.schemas import JobView
from farm.states import JobState

#: A video whose header names no frame rate: one frame of it may last this long, in seconds.
LONGEST_FRAME_S = Fraction(1, 10)

#: Digits after the point of a moment's seconds, cut and not rounded: the next frame must stay outside.
_PLACES = 6


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One frame of a video, as a job's trim has it: from `start` to before `end`."""

    start: str
    end: str
    seconds: float  # from the first frame to about the middle between this one and the one before


def preview(job: JobOptions, hosting: HostingOptions, at: str, *, shows_mask: bool, as_json: bool) -> int:
    """Render the frame at `at`, and write a picture of input and output, or the mask, side by side."""
    if is_pictures(absolute_path(job.input)):
        return _preview_picture(job, hosting, at, shows_mask=shows_mask, as_json=as_json)
    instant = instant_of(absolute_path(job.input), at)
    picture = _picture(job)
    with tempfile.TemporaryDirectory(prefix="farm-preview-") as name:
        frame = Path(name) / "frame.mov"  # exact times: nothing to note about them
        asked = dataclasses.replace(
            job, output=frame, lossless=True, codec=None, start=instant.start, end=instant.end
        )
        request = asked.request().model_copy(update={"show_mask": shows_mask})
        view = render_request(request, hosting)
        if view.state != JobState.DONE:
            return conclude(view, as_json=as_json)
        make_poster(absolute_path(job.input), frame, picture, at_s=instant.seconds, right_at_s=0.0)
    return _say(view, picture, as_json=as_json)


def _preview_picture(
    job: JobOptions, hosting: HostingOptions, at: str, *, shows_mask: bool, as_json: bool
) -> int:
    if job.input.expanduser().is_dir():
        raise BadInput(f"{job.input} is a folder", hint="name one of its pictures")
    if at != "0":
        raise BadInput("a picture has no moments", hint="leave --at out")
    side_by_side = _picture(job)
    turn = look(absolute_path(job.input)).orientation
    with tempfile.TemporaryDirectory(prefix="farm-preview-") as name:
        fused = Path(name) / "picture.png"
        asked = dataclasses.replace(job, output=fused, lossless=True)
        request = asked.request().model_copy(update={"show_mask": shows_mask})
        view = render_request(request, hosting)
        if view.state != JobState.DONE:
            return conclude(view, as_json=as_json)
        make_pair(absolute_path(job.input), fused, side_by_side, turn=TURNS[turn])
    return _say(view, side_by_side, as_json=as_json)


def instant_of(path: Path, at: str) -> Instant:
    """Return the frame that is shown at a moment.

    Raises:
        BadInput: it is no moment, or after the video's end.
    """
    info = probe(path)
    rate = info.video.average_rate
    moment = parse_moment(at, rate)
    frame_s = LONGEST_FRAME_S if rate is None else 1 / rate
    if moment.frame is not None:
        seconds = float(max(Fraction(0), (moment.frame - Fraction(1, 2)) * frame_s))
        return Instant(start=f"{moment.frame}f", end=f"{moment.frame + 1}f", seconds=seconds)
    assert moment.seconds is not None
    if info.duration_s is not None and moment.seconds >= info.duration_s:
        raise BadInput(f"{at} is after the end", hint=f"the video is {float(info.duration_s):.3f} s long")
    end = int((moment.seconds + frame_s) * 10**_PLACES) / 10**_PLACES
    return Instant(start=at, end=f"{end:.{_PLACES}f}", seconds=float(moment.seconds))


def _picture(job: JobOptions) -> Path:
    picture = job.output or job.input.with_name(f"{job.input.stem}-preview.jpg")
    picture = absolute_path(picture)
    if picture.is_dir():
        picture /= f"{job.input.stem}-preview.jpg"
    if picture.suffix.lower() not in {".jpg", ".jpeg", ".png"}:
        raise OutputRefused(f"{picture} is no picture's name", hint="end it in .jpg or .png")
    if picture.exists() and picture.samefile(job.input):
        raise OutputRefused("the output is the input itself", hint="choose another with -o")
    if not picture.parent.is_dir():
        raise OutputRefused(
            f"no such directory: {picture.parent}", hint=f"make it: mkdir -p {picture.parent}"
        )
    return picture


def _say(view: JobView, picture: Path, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json_line({**to_json(view), "output": str(picture)}))
        return DONE
    for note in view.notes:
        sys.stderr.write(f"note: {note}\n")
    if view.frames_fused == 0:
        sys.stderr.write("note: no face was changed in it\n")
    sys.stderr.write(f"done in {view.seconds:.1f} s; left the input, right the output\n")
    sys.stdout.write(f"{picture}\n")
    return DONE
