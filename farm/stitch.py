"""Write the output: finished segments and the input's other streams, checked, then renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from farm.bootstrap import Farm
from farm.collect import failed_chunks, spool
from farm.errors import JobFailed, StaleTransition
from farm.lock import JobLock
from farm.media.mux import mux
from farm.media.probe import MediaInfo
from farm.media.restamp import Restamper
from farm.media.target import Target
from farm.media.timeline import Timeline
from farm.media.verify import verify
from farm.models import Job
from farm.output import growing, is_in_place, put_in_place
from farm.prepare import PROGRESS_S, kept_frames, load_manifest, manifest_path
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
    """STITCHING → DONE. Until the rename, nothing is seen at the output's name."""
    output = Path(job.output_path)
    if is_in_place(output, job.id):  # whoever put it there died before it could say so
        return _finish(farm, job)
    lock.renew()
    with growing(output, job.id, lock.owner) as partial:
        _write(farm, job, lock, partial)
        _check_still(farm, job)
        lock.renew()
        put_in_place(partial, output, overwrite=JobRequest(**job.request).overwrite)
    return _finish(farm, job)


def _write(farm: Farm, job: Job, lock: JobLock, partial: Path) -> None:
    """Write the output, and check it."""
    info = MediaInfo.from_json(job.media)
    timeline = Timeline.of(load_manifest(manifest_path(farm, job.id)), *kept_frames(farm, job))
    target = Target.from_json(job.target)
    report = mux(
        partial,
        input_path=Path(job.input_path),
        info=info,
        timeline=timeline,
        target=target,
        rendered=Restamper(_segments(farm, job), timeline, target.reorder),
        engine=job.engine,
        on_progress=_shower(farm, job, lock),
    )
    lock.renew()
    verify(partial, timeline, info, target, copied=report.copied)
    for stream in report.dropped:
        farm.store.add_note(job.id, f"not carried over: {stream}")


def _finish(farm: Farm, job: Job) -> bool:
    farm.store.move_job(job.id, JobState.STITCHING, JobState.DONE, stage="done", finished_at=farm.wall())
    return True


def _check_still(farm: Farm, job: Job) -> None:
    if not farm.store.is_still(job.id, JobState.STITCHING):
        raise StaleTransition(f"job {job.id} was stopped while it was stitched")


def _shower(farm: Farm, job: Job, lock: JobLock) -> Callable[[int, int], None]:
    shown_at = farm.clock.now_s()

    def show(frames_done: int, frames_total: int) -> None:
        nonlocal shown_at
        if farm.clock.now_s() - shown_at < PROGRESS_S:
            return
        shown_at = farm.clock.now_s()
        lock.renew()
        _check_still(farm, job)
        farm.store.update_job(job.id, stage=f"stitching {100 * frames_done // max(1, frames_total)} %")

    return show


def _segments(farm: Farm, job: Job) -> Iterator[Iterator[bytes]]:
    place = spool(farm, job.id)
    for chunk in farm.store.all_chunks(job.id):
        yield place.parts(chunk.index, chunk.attempt)


def _no_face(farm: Farm, job: Job) -> None:
    if JobRequest(**job.request).require_face:
        raise JobFailed(
            "no frame of the input has a face",
            code="no-face-in-input",
            hint="leave --require-face out to keep it",
        )
    farm.store.add_note(job.id, "no frame of the input has a face: its frames are unchanged")
