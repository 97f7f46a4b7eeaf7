"""Get a job ready to render: list its packets, plan its chunks, and have a worker look at its source."""

from __future__ import annotations

import functools
import json
from fractions import Fraction
from pathlib import Path

from broker.errors import StoreFull
from broker.messages import CheckSource, SourceChecked
from broker.queues import RENDER
from broker.segments import SegmentName
from farm.admission import may_begin
from farm.album.album import Album, check_pictures, is_album, pictures_a_chunk
from farm.bootstrap import Farm
from farm.errors import SourceRefused, StaleTransition
from farm.fallback import fall_back
from farm.fusing import fuse_spec
from farm.lock import JobLock
from farm.media.delivery import Delivery
from farm.media.lead_in import check_window, lead_in_note, plan_economically
from farm.media.manifest import Manifest, index
from farm.media.moments import frames_between
from farm.media.parts import regroup
from farm.media.plan import plan_chunks
from farm.media.probe import MediaInfo
from farm.media.salvage import skipped_note
from farm.models import Chunk, Job
from farm.portraits import portraits_of, source_path
from farm.requests import JobRequest
from farm.states import JobState

#: A segment may take this share of the window, so that several are in flight at once.
SEGMENT_SHARE = 8

#: How often the row's stage is rewritten while packets are listed, in seconds.
PROGRESS_S = 0.5

#: A question this many times `reoffer_s` old is asked again even if others queue: on a busy farm some do.
OVERDUE = 12

HINTS = {
    "no-face": "take a sharp, upright picture of a face that looks at the camera and fills a tenth of it",
    "not-a-picture": "give a JPEG, PNG or WebP file with --source",
    "no-such-face": "leave --source-face out to take the largest",
    "model-missing": "install it on every worker's machine, then `farm retry`, or submit again",
    "model-unusable": "`farm models verify` says which file it is; `farm models add` puts it back",
    "package-missing": "install it on every worker's machine, then submit again",
    "unknown-engine": "the message names the engines that the worker has; choose one with --engine",
}


def source_name(job_id: str, number: int = 0) -> SegmentName:
    """Return where a portrait of the job lies in the segment store: its sources, then its references."""
    return SegmentName(job_id=job_id, index=number, kind="source", attempt=1)


def manifest_path(farm: Farm, job_id: str) -> Path:
    """Return where the job's manifest lies."""
    return farm.config.job_directory(job_id) / "manifest.npz"


def references_path(farm: Farm, job_id: str) -> Path:
    """Return where it is written who is on the job's reference portraits."""
    return farm.config.job_directory(job_id) / "references.json"


def load_manifest(path: Path) -> Manifest:
    """Read a job's manifest; the last few are kept, since every cut needs one."""
    return _load_manifest(path, path.stat().st_mtime_ns)


def load_album(farm: Farm, job_id: str) -> Album:
    """Read a job's album; the last one is kept, since every cut needs it."""
    return _load_album(farm.config.job_directory(job_id))


def kept_frames(farm: Farm, job: Job) -> tuple[int, int]:
    """Return the input's frames [start, end) that the job is about.

    Raises:
        BadInput: the user asked for none.
    """
    request = JobRequest(**job.request)
    manifest = load_manifest(manifest_path(farm, job.id))
    rate = MediaInfo.from_json(job.media).video.average_rate
    return frames_between(request.start, request.end, manifest, rate)


def begin(farm: Farm, job: Job, lock: JobLock) -> bool:  # noqa: ARG001 - every step has this signature
    """SUBMITTED → INDEXING when it is the job's turn, with a worker asked to look at the source meanwhile."""
    if not may_begin(farm, job):
        return False
    _ask(farm, job)
    now = farm.wall()
    farm.store.move_job(
        job.id, JobState.SUBMITTED, JobState.INDEXING, stage="indexing", checked_at=now, admitted_at=now
    )
    return True


def prepare(farm: Farm, job: Job, lock: JobLock) -> bool:
    """INDEXING → RENDERING, once the plan is written and the source accepted."""
    path = manifest_path(farm, job.id)
    if not path.exists():
        _index(farm, job, lock, path)
    if job.num_frames == 0:
        _plan(farm, job, load_manifest(path))
    checked = farm.broker.leases.source_checked(job.id)
    if checked is None:
        _ask_again(farm, job)
        return False
    if checked.encoder_trouble:
        fall_back(farm, job, checked.encoder_trouble)
        _ask(farm, farm.store.job(job.id))
        return False
    _accept(farm, job, checked)
    after = JobState.LOOKING if JobRequest(**job.request).needs_people else JobState.RENDERING
    farm.store.move_job(
        job.id,
        JobState.INDEXING,
        after,
        stage=str(after),
        radius=_radius(job, checked),
        fingerprint=checked.fingerprint,
        rendering_at=job.rendering_at or farm.wall(),
    )
    return True


def _radius(job: Job, checked: SourceChecked) -> int:
    """Return how many frames on each side a chunk's depend on: pictures on none, however near they lie."""
    info = MediaInfo.from_json(job.media)
    return 0 if is_album(info) else checked.radius + int(info.video.deinterlace)


def put_source(farm: Farm, job: Job) -> None:
    """Put the job's portraits where workers find them, those that are not there."""
    for number in range(len(portraits_of(JobRequest(**job.request)))):
        path, name = source_path(farm.config.job_directory(job.id), number), source_name(job.id, number)
        if farm.broker.segments.num_parts(name) == 0:
            put_portrait(farm, name, path.read_bytes())


def put_portrait(farm: Farm, name: SegmentName, content: bytes) -> None:
    """Put a portrait into the segment store.

    Raises:
        StoreFull: the window has no room for it.
    """
    limit = farm.broker.config.window_bytes
    for number, part in enumerate(regroup([content], farm.broker.config.part_bytes)):
        farm.broker.segments.append(name, number, part, limit_bytes=limit)


@functools.lru_cache(maxsize=8)
def _load_manifest(path: Path, written_ns: int) -> Manifest:
    del written_ns  # a job that is planned anew has another manifest in the same place
    return Manifest.load(path)


@functools.lru_cache(maxsize=2)
def _load_album(directory: Path) -> Album:
    return Album.load(directory)  # a job's own never changes


def _ask(farm: Farm, job: Job) -> None:
    try:
        put_source(farm, job)
    except StoreFull:
        return  # asked again later, when chunks have been collected
    request = JobRequest(**job.request)
    chunks = Delivery.from_json(job.target).chunks
    farm.publisher.check_source(
        CheckSource(
            job_id=job.id,
            fuse=fuse_spec(request),
            encode=chunks.encode if request.work == "render" else None,
            num_references=len(request.references),
        )
    )


def _ask_again(farm: Farm, job: Job) -> None:
    if not farm.broker.heartbeats.live():
        farm.store.update_job(job.id, stage="waiting for a worker")
    age_s = farm.wall() - (job.checked_at or 0)
    if 0 <= age_s <= farm.config.reoffer_s:  # below 0: the clock was set back
        return
    if farm.publisher.queue_length(RENDER) == 0 or age_s > OVERDUE * farm.config.reoffer_s:
        _ask(farm, job)
        farm.store.update_job(job.id, checked_at=farm.wall())


def _index(farm: Farm, job: Job, lock: JobLock, path: Path) -> None:
    shown_at = farm.clock.now_s()

    def show(bytes_done: int, bytes_total: int) -> None:
        nonlocal shown_at
        if farm.clock.now_s() - shown_at < PROGRESS_S:
            return
        shown_at = farm.clock.now_s()
        lock.renew()
        if not farm.store.is_still(job.id, JobState.INDEXING):
            raise StaleTransition(f"job {job.id} was stopped while it was indexed")
        farm.store.update_job(job.id, stage=f"indexing {100 * bytes_done // max(1, bytes_total)} %")

    info = MediaInfo.from_json(job.media)
    if is_album(info):
        load_album(farm, job.id).manifest().save(path)
        return

    def tell(words: str) -> None:
        farm.store.add_note(job.id, f"parts of the input could not be read: {words}")

    manifest = index(Path(job.input_path), info, on_progress=show, on_damage=tell)
    manifest.save(path)
    note = skipped_note(manifest)
    if note is not None:
        farm.store.add_note(job.id, note)


def _plan(farm: Farm, job: Job, manifest: Manifest) -> None:
    window_bytes = farm.broker.config.window_bytes
    request = JobRequest(**job.request)
    # Who asks for a length gets it.
    plan = plan_economically if request.chunk_seconds is None else plan_chunks
    plans = plan(
        manifest,
        chunk_s=_chunk_s(farm, job, request, manifest),
        max_bytes=window_bytes // SEGMENT_SHARE,
        frames=kept_frames(farm, job),
    )
    if is_album(MediaInfo.from_json(job.media)):
        check_pictures(load_album(farm, job.id), window_bytes)
    check_window(plans, window_bytes)
    note = lead_in_note(plans, manifest)
    if note is not None:
        farm.store.add_note(job.id, note)
    rows = (
        Chunk(job_id=job.id, index=plan.index, start=plan.start, end=plan.end, num_bytes=plan.num_bytes)
        for plan in plans
    )
    farm.store.replace_chunks(job.id, rows, farm.breathe)
    farm.store.update_job(job.id, num_frames=plans[-1].end - plans[0].start)


def _chunk_s(farm: Farm, job: Job, request: JobRequest, manifest: Manifest) -> Fraction:
    """Return how long a chunk shall be, in the manifest's seconds; those of pictures only number them."""
    if not is_album(MediaInfo.from_json(job.media)):
        return Fraction(job.chunk_seconds).limit_denominator(1000)
    num_workers = max(1, len(farm.broker.heartbeats.live()))
    return pictures_a_chunk(manifest.num_frames, num_workers, request.chunk_pictures) * manifest.time_base


def _accept(farm: Farm, job: Job, checked: SourceChecked) -> None:
    if checked.code is not None:
        raise SourceRefused(checked.message, code=checked.code, hint=HINTS.get(checked.code, ""))
    farm.store.update_job(job.id, models=checked.models)
    for note in checked.notes:
        farm.store.add_note(job.id, note)
    if JobRequest(**job.request).needs_people:
        _keep_references(farm, job, checked)
    if len(checked.boxes) > 1 and checked.chosen is not None:
        farm.store.add_note(job.id, _choice(checked, checked.chosen))


def _keep_references(farm: Farm, job: Job, checked: SourceChecked) -> None:
    """Keep what a worker told of the reference portraits: Redis may forget it before it is needed."""
    body = {"recogniser": checked.recogniser, "references": list(checked.references)}
    references_path(farm, job.id).write_text(json.dumps(body))


def _choice(checked: SourceChecked, chosen: int) -> str:
    boxes = ", ".join(
        f"{number}: x {x0}-{x1}, y {y0}-{y1}" for number, (x0, y0, x1, y1) in enumerate(checked.boxes)
    )
    return (
        f"the source has {len(checked.boxes)} faces ({boxes}); face {chosen} was taken. "
        "Choose another with --source-face N"
    )
