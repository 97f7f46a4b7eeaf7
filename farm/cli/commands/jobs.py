"""Commands that make jobs: render and submit."""

# ruff: noqa: PLC0415 - what a command does is imported when it is run: `farm --help` answers at once

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli import options as given


def render(
    input: given.Input,  # noqa: A002 - the name that the user sees
    source: given.Source = None,
    output: given.Output = None,
    *,
    engine: given.Engine = "portrait",
    faces: given.Faces = "all",
    source_face: given.SourceFace = None,
    require_face: given.RequireFace = False,
    lossless: given.Lossless = False,
    crf: given.Crf = 18,
    preset: given.Preset = "medium",
    chunk_seconds: given.ChunkSeconds = None,
    overwrite: given.Overwrite = False,
    workers: given.Workers = None,
    gpus: given.Gpus = "all",
    window_bytes: given.WindowBytes = None,
    private: Annotated[
        bool, typer.Option("--private", help="Start a farm for this job, even if one is up.")
    ] = False,
    json: given.Json = False,
) -> int:
    """Render a video, and wait for it.

    Uses the farm that is up; if none is, or if one of --workers, --window-bytes and --private is given,
    starts one for this job and stops it afterwards. Ctrl-C cancels the job and leaves nothing behind.

        farm render holiday.mp4 --source face.jpg -o fused.mp4

        farm render holiday.mp4 --source group.jpg --source-face 2 --json
    """
    from farm.cli.rendering import Hosting, render_now

    job = given.JobOptions(
        input=input,
        source=source,
        output=output,
        engine=engine,
        chunk_seconds=chunk_seconds,
        lossless=lossless,
        crf=crf,
        preset=preset,
        faces=faces,
        source_face=source_face,
        require_face=require_face,
        overwrite=overwrite,
    )
    hosting = Hosting(workers=workers, gpus=gpus, window_bytes=window_bytes, is_private=private)
    return render_now(job, hosting, as_json=json)


def submit(
    input: given.Input,  # noqa: A002 - the name that the user sees
    source: given.Source = None,
    output: given.Output = None,
    *,
    engine: given.Engine = "portrait",
    faces: given.Faces = "all",
    source_face: given.SourceFace = None,
    require_face: given.RequireFace = False,
    lossless: given.Lossless = False,
    crf: given.Crf = 18,
    preset: given.Preset = "medium",
    chunk_seconds: given.ChunkSeconds = None,
    overwrite: given.Overwrite = False,
    priority: given.Priority = 0,
    check: Annotated[
        bool, typer.Option("--check", help="Submit nothing; say what it would take, and what is wrong.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the job has ended.")] = False,
    json: given.Json = False,
) -> int:
    """Hand a video to the farm that is up, and print the job's id.

    job=$(farm submit holiday.mp4 --source face.jpg -o fused.mp4)

    farm watch $job

    --check looks at the files, has a worker look at the portrait, and estimates frames, chunks, disk space
    and time from earlier jobs; its exit code is 2 if the job cannot be done as it is.
    """
    from farm.cli.rendering import check_only, submit_now

    job = given.JobOptions(
        input=input,
        source=source,
        output=output,
        engine=engine,
        chunk_seconds=chunk_seconds,
        lossless=lossless,
        crf=crf,
        preset=preset,
        faces=faces,
        source_face=source_face,
        require_face=require_face,
        overwrite=overwrite,
        priority=priority,
    )
    if check:
        return check_only(job, as_json=json)
    return submit_now(job, wait=wait, as_json=json)
