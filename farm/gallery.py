"""The output of a job that looks for people: its album with a page beside it, put in place whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from farm.bootstrap import Farm
from farm.errors import GalleryRefused
from farm.lock import JobLock
from farm.models import Job
from farm.output import partial_path
from farm.people.album import Album, album_path, check_place
from farm.people.page import PAGE, page, told
from farm.prepare import load_manifest, manifest_path
from farm.requests import JobRequest
from farm.states import JobState


def deliver(farm: Farm, job: Job, lock: JobLock) -> bool:
    """STITCHING → DONE: until the rename, nothing is seen at the output's name.

    Raises:
        OutputRefused: something else is there by now.
    """
    output = Path(job.output_path)
    if not is_gallery_of(output, job.id):
        _put(farm, job, lock, output)
    album = Album.load(output)
    farm.store.add_note(job.id, told(album))
    farm.store.move_job(job.id, JobState.STITCHING, JobState.DONE, stage="done", finished_at=farm.wall())
    return True


def is_gallery_of(directory: Path, job_id: str) -> bool:
    """Say whether a directory is the gallery that a job made: it may have died before it could say so."""
    try:
        return Album.load(directory).job == job_id
    except GalleryRefused:
        return False


def _put(farm: Farm, job: Job, lock: JobLock, output: Path) -> None:
    growing = partial_path(output, job.id)
    shutil.rmtree(growing, ignore_errors=True)
    shutil.copytree(album_path(farm.config.job_directory(job.id)), growing)
    manifest = load_manifest(manifest_path(farm, job.id))

    def seconds(frame: int) -> float:
        if frame >= manifest.num_frames:
            return float(manifest.duration_s)
        return float((int(manifest.pts[frame]) - int(manifest.pts[0])) * manifest.time_base)

    (growing / PAGE).write_text(page(Album.load(growing), seconds))
    lock.renew()
    check_place(output, overwrite=JobRequest(**job.request).overwrite)
    shutil.rmtree(output, ignore_errors=True)
    growing.rename(output)
