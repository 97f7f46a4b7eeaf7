"""Commands that make jobs: render, preview and submit."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli import options as given


@given.spread
def render(job: given.JobOptions, hosting: given.HostingOptions, *, json: given.Json = False) -> int:
    """Render a video, a picture or a folder of pictures, and wait for it.

    Uses the farm that is up; if none is, or if one of --workers, --window-bytes and --private is given,
    starts one for this job and stops it afterwards. Ctrl-C cancels the job and leaves nothing behind.

        farm render holiday.mp4 --source face.jpg -o fused.mp4

        farm render holiday.mp4 --source group.jpg --source-face 2 --json

        farm render photos/ --source face.jpg -o fused/
    """
    from farm.cli.rendering import render_now

    return render_now(job, hosting, as_json=json)


@given.spread
def preview(
    job: given.JobOptions,
    hosting: given.HostingOptions,
    *,
    at: Annotated[
        str,
        typer.Option("--at", metavar="MOMENT", help="Which frame: 12.5 (s), 00:01:30.250, or 120f."),
    ] = "0",
    show_mask: Annotated[
        bool, typer.Option("--show-mask", help="Draw the mask over the faces, instead of changing them.")
    ] = False,
    json: given.Json = False,
) -> int:
    """Render one frame, or a picture, and write both side by side: the input's on the left.

    The frame goes through the same workers as a whole video would, with the frames around it that the engine
    looks at; with a farm up it takes a second or two.

        farm preview holiday.mp4 --source face.jpg --at 12.5 -o look.jpg
    """
    from farm.cli.previewing import preview as preview_now

    return preview_now(job, hosting, at, shows_mask=show_mask, as_json=json)


@given.spread
def faces(gallery: given.GalleryOptions, hosting: given.HostingOptions, *, json: given.Json = False) -> int:
    """Find everybody in a video or in pictures, and make a gallery: who is there, when, and how they look.

    The numbers that it gives people are what --map takes. From one picture to another it knows them by a
    recogniser: `farm models pull buffalo_l --accept-licence`.

        farm faces holiday.mp4 -o who/

        farm faces photos/

        farm render holiday.mp4 --gallery who/ --map 1=ann.jpg --map 2=bob.jpg -o fused.mp4
    """
    from farm.cli.galleries import show_faces

    return show_faces(gallery, hosting, as_json=json)


@given.spread
def submit(
    job: given.JobOptions,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Submit nothing; say what it would take, and what is wrong.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the job has ended.")] = False,
    json: given.Json = False,
) -> int:
    """Hand a video, a picture or a folder of pictures to the farm that is up, and print the job's id.

    job=$(farm submit holiday.mp4 --source face.jpg -o fused.mp4)

    farm watch $job

    --check looks at the files, has a worker look at the portrait, and estimates frames, chunks, disk space
    and time from earlier jobs; its exit code is 2 if the job cannot be done as it is.
    """
    from farm.cli.rendering import check_only, submit_now

    if check:
        return check_only(job, as_json=json)
    return submit_now(job, wait=wait, as_json=json)
