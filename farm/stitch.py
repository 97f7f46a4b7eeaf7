"""Write the outputs: each is made, checked, then renamed."""

from __future__ import annotations

from pathlib import Path

from farm.album.album import is_album
from farm.bootstrap import Farm
from farm.collect import failed_chunks
from farm.deliver import Stitching
from farm.errors import JobFailed
from farm.gallery import deliver
from farm.lock import JobLock
from farm.media.delivery import Delivery
from farm.media.info import MediaInfo
from farm.media.target import Target
from farm.models import Job
from farm.output import growing, is_in_place, put_in_place
from farm.pictures import PictureStitching
from farm.requests import JobRequest
from farm.states import JobState


def is_ready(farm: Farm, job: Job) -> bool:
    """RENDERING → STITCHING if every chunk lies in the spool.

    Raises:
        JobFailed: chunks were given up, and the others are done; or no frame had a face, and one is required.
    """
    now = farm.store.job(job.id)
    if now.num_rendered + now.num_failed < now.num_chunks:
        return False
    if now.num_failed > 0:
        raise failed_chunks(farm, job.id)
    if now.frames_fused == 0 and job.engine != "passthrough":
        _no_face(farm, job)
    farm.store.move_job(
        job.id, JobState.RENDERING, JobState.STITCHING, stage="stitching", rendered_at=farm.wall()
    )
    return True


def stitch(farm: Farm, job: Job, lock: JobLock) -> bool:
    """STITCHING → DONE. Until the rename, nothing is seen at an output's name; each has its own."""
    if JobRequest(**job.request).work == "faces":
        return deliver(farm, job, lock)
    if is_album(MediaInfo.from_json(job.media)):
        PictureStitching(farm, job, lock).place(Delivery.from_json(job.target).outputs[0])
        return _finish(farm, job)
    stitching = Stitching(farm, job, lock)
    for number, target in enumerate(stitching.delivery.outputs):
        placed = farm.config.job_directory(job.id) / f"placed-{number}"
        # Whoever put it there may have died before it could say so.
        if not placed.exists() and not is_in_place(Path(target.path), job.id):
            _place(job, lock, stitching, target)
        placed.touch()
    return _finish(farm, job)


def _place(job: Job, lock: JobLock, stitching: Stitching, target: Target) -> None:
    """Make one output, and put it in its place."""
    output = Path(target.path)
    lock.renew()
    with growing(output, job.id, lock.owner) as partial:
        stitching.make(target, partial)
        stitching.check_still()
        put_in_place(partial, output, overwrite=JobRequest(**job.request).overwrite)


def _finish(farm: Farm, job: Job) -> bool:
    farm.store.move_job(job.id, JobState.STITCHING, JobState.DONE, stage="done", finished_at=farm.wall())
    return True


def _no_face(farm: Farm, job: Job) -> None:
    is_pictures = is_album(MediaInfo.from_json(job.media))
    if JobRequest(**job.request).require_face:
        raise JobFailed(
            f"no {'picture' if is_pictures else 'frame'} of the input has a face",
            code="no-face-in-input",
            hint="leave --require-face out to keep it",
        )
    if is_pictures:
        return  # each is named, once it is written
    farm.store.add_note(job.id, "no frame of the input has a face: its frames are unchanged")
