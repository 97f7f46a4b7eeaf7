"""Can this job be done? Looks at a request's files, without a farm and before one is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from broker.config import models_directory
from broker.installed import ModelStore
from farm.album.album import Album
from farm.album.opening import is_pictures, open_album, open_gallery_album
from farm.errors import BadInput, OutputRefused, SourceRefused
from farm.fusing import ORIGINAL, resolution
from farm.media.delivery import NO_VIDEO, Delivery, choose_delivery
from farm.media.info import MediaInfo
from farm.media.moments import parse_moment
from farm.media.probe import probe
from farm.media.resolution import at_resolution
from farm.modelstore.arrival import OWN_ENGINES
from farm.modelstore.catalogue import known_models
from farm.people.album import check_place
from farm.people.asking import check_people, check_places
from farm.portraits import check_portrait
from farm.requests import JobRequest
from farm.stages import as_rendered, check_stages, factor_of
from farm.wishes import wished_outputs

#: What only the portrait engine can do: swap networks paint the whole face themselves.
PORTRAIT_ONLY = ("skin_smoothing", "brightness", "mode")

_PROGRESSIVE = 1  # AVFieldOrder, libavcodec/defs.h

#: What a disk must have free beside the estimate, in bytes: a full disk is better met here than at the end.
SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """What a request comes to, where nothing speaks against it."""

    info: MediaInfo
    shown: MediaInfo  # as its frames are encoded: larger, where stages enlarge them
    delivery: Delivery
    album: Album | None = None  # the pictures; None: the input is a video
    notes: tuple[str, ...] = ()  # what the user should know


def check(request: JobRequest) -> Checked:
    """Look at a request's files without a farm.

    Raises:
        BadInput: a file or an option cannot be used; the message and hint are for the user.
    """
    _check_sizes(request)
    checked = _with_pictures(request) if is_pictures(Path(request.input)) else _with_video(request)
    if request.work == "faces":  # changes nothing: no engine is asked, and no source
        return checked
    _check_engine(request)
    _check_source(request)
    is_folder = checked.album is not None and checked.album.is_folder
    for target in checked.delivery.outputs:
        _check_output(Path(target.path), request, checked.shown, is_folder=is_folder)
    return checked


def _with_pictures(request: JobRequest) -> Checked:
    check_people(request)
    if request.work == "faces":
        _check_gallery_place(request)
        album, notes = open_gallery_album(request)
        return Checked(album.info(), album.info(), NO_VIDEO, album, notes)
    store = ModelStore(models_directory())
    factor = 1 if request.upscale is None else factor_of(store, request.upscale)
    album, delivery = open_album(request, factor)
    check_places(request, album)
    info = album.info()
    check_stages(request, info, store)
    return Checked(info, as_rendered(request, info, store), delivery, album, delivery.notes)


def _with_video(request: JobRequest) -> Checked:
    if request.chunk_pictures is not None:
        raise BadInput("a video has no pictures to count", hint="its chunks' length is --chunk-seconds")
    info = _read(request)
    _check_moments(request, info)
    check_people(request)
    if request.work == "faces":
        _check_gallery_place(request)
        return Checked(info, info, NO_VIDEO)
    store = ModelStore(models_directory())
    check_stages(request, info, store)
    shown = as_rendered(request, info, store)
    delivery = choose_delivery(wished_outputs(request, shown), shown)
    return Checked(info, shown, delivery, notes=(*_size_notes(info, request), *delivery.notes))


def _check_sizes(request: JobRequest) -> None:
    if request.resolution in {None, ORIGINAL}:
        return
    for name in ("resize", "upscale"):
        if getattr(request, name) is not None:
            raise BadInput(
                f"--{name} and --resolution both say how large the output is",
                hint="--resolution makes frames smaller before faces are sought in them, and nothing larger; "
                f"--{name} changes the size of what is finished: leave one out",
            )


def _size_notes(info: MediaInfo, request: JobRequest) -> Iterator[str]:
    if info.video.size is None:
        return
    width, height = replace(info.video, size=None).upright_size
    why = f"as the preset {request.preset} has it" if request.resolution is None else "as was asked"
    yield (
        f"the video becomes {info.video.size[0]}x{info.video.size[1]} pixels large, {why}: "
        f"--resolution original keeps {width}x{height}"
    )


def _check_moments(request: JobRequest, info: MediaInfo) -> None:
    """Find what is no moment at all; whether frames lie between the two, the manifest will say."""
    start, end = (
        None if text is None else parse_moment(text, info.video.average_rate)
        for text in (request.start, request.end)
    )
    is_backward = (
        start is not None
        and end is not None
        and (
            (start.frame is not None and end.frame is not None and start.frame >= end.frame)
            or (start.seconds is not None and end.seconds is not None and start.seconds >= end.seconds)
        )
    )
    if is_backward:
        raise BadInput(
            f"--start {request.start} is not before --end {request.end}",
            hint="--start is the first frame kept, --end the first one that is not",
        )
    length_s = info.duration_s
    if start is not None and start.seconds is not None and length_s is not None and start.seconds >= length_s:
        raise BadInput(
            f"--start {request.start} is after the end", hint=f"the video is {float(length_s):.3f} s long"
        )


def _check_engine(request: JobRequest) -> None:
    if request.pixel_boost > 1 and request.engine in OWN_ENGINES:
        raise BadInput(
            f"the engine {request.engine} takes no --pixel-boost: its crops follow the face's size already",
            hint="leave --pixel-boost out, or choose a swap network with --engine",
        )
    if request.show_mask and request.engine == "passthrough":
        raise BadInput("the engine passthrough has no mask to show", hint="choose another with --engine")
    box = {"--mask-blur": request.mask_blur, "--mask-padding": request.mask_padding}
    given = [option for option, value in box.items() if value is not None]
    # Swap networks have a box of their own, the portrait engine the face's outline.
    if given and "box" not in (
        request.mask or () if request.engine == "portrait" else request.mask or ("box",)
    ):
        raise BadInput(f"{', '.join(given)} shapes the box, and --mask has none", hint="add it: --mask box")
    said = [f"--{name.replace('_', '-')}" for name in PORTRAIT_ONLY if getattr(request, name) is not None]
    if said and request.engine in known_models():
        raise BadInput(
            f"the engine {request.engine} takes no {', '.join(said)}",
            hint="leave it out, or --engine portrait",
        )


def _read(request: JobRequest) -> MediaInfo:
    info = probe(Path(request.input), salvage=request.salvage)
    video = info.video
    if request.deinterlace:
        # Whole pictures are what comes out: from here on, nothing is interlaced.
        video = replace(video, deinterlace=True, field_order=_PROGRESSIVE)
    return replace(info, video=at_resolution(video, resolution(request)))


def _check_source(request: JobRequest) -> None:
    if not request.sources and request.engine != "passthrough":
        raise SourceRefused(
            f"the engine {request.engine!r} needs a source portrait", hint="give one with --source FACE.jpg"
        )
    for source in request.sources:
        _check_portrait(Path(source), request)


def _check_portrait(path: Path, request: JobRequest) -> None:
    check_portrait(path)
    if path.is_dir() and (request.engine in OWN_ENGINES or request.source_face is not None):
        raise SourceRefused(
            f"{path} is a directory of portraits, which swap networks alone can average",
            hint="give one picture; or choose a swap network with --engine, and leave --source-face out",
        )


def _check_gallery_place(request: JobRequest) -> None:
    output = Path(request.output)
    _check_parent(output)
    check_place(output, overwrite=request.overwrite)


def _check_output(output: Path, request: JobRequest, info: MediaInfo, *, is_folder: bool) -> None:
    _check_parent(output)
    if is_folder and output.is_dir() and not os.access(output, os.W_OK | os.X_OK):
        raise OutputRefused(f"cannot write in {output}", hint="choose another place with -o")
    if not is_folder:  # what lies in a folder, whoever opened the album has looked at
        _check_file(output, request)
    _check_space(output.parent, info)


def _check_parent(output: Path) -> None:
    if not output.parent.is_dir():
        raise OutputRefused(f"no such directory: {output.parent}", hint=f"make it: mkdir -p {output.parent}")
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise OutputRefused(f"cannot write in {output.parent}", hint="choose another place with -o")


def _check_file(output: Path, request: JobRequest) -> None:
    if output.is_dir():
        raise OutputRefused(f"{output} is a directory", hint="name a file with -o")
    given = [("source", path) for path in request.sources] + [
        ("reference", path) for path in request.references
    ]
    for role, path in (("input", request.input), *given):
        if output.exists() and output.samefile(path):
            raise OutputRefused(
                f"the output is the {role} itself",
                hint="the original is never overwritten: choose another -o",
            )
    if output.exists() and not request.overwrite:
        raise OutputRefused(f"{output} is already there", hint="choose another -o, or give --overwrite")


def _check_space(directory: Path, info: MediaInfo) -> None:
    free = shutil.disk_usage(directory).free
    needed = info.size_bytes + SPARE_BYTES
    if free < needed:
        raise OutputRefused(
            f"{directory} has {free >> 20} MiB free, and this job needs about {needed >> 20} MiB",
            hint="free some space, or choose another disk with -o",
        )
