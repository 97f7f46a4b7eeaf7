"""Look at a job before it is submitted: files, portrait, engine, disks, and what it would take."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from broker.errors import StoreFull
from broker.messages import CheckSource, SourceChecked
from farm import disk
from farm.album.album import pictures_a_chunk
from farm.bootstrap import Farm
from farm.check import check
from farm.estimate import Estimate, estimate, size_class
from farm.fusing import fuse_spec
from farm.media.info import MediaInfo, StreamInfo
from farm.media.moments import seconds_between
from farm.portraits import packed, portraits_of
from farm.prepare import put_portrait, source_name
from farm.requests import JobRequest
from farm.schemas import CheckView

#: How long a worker may take to look at the portrait, in seconds: one that renders must first end its chunk.
LOOK_S = 10.0
PAUSE_S = 0.05

#: Earlier jobs that an estimate rests on at most: the newest, on the machines that there are now.
MOST_MEASURED = 50


@dataclass(slots=True)
class _Findings:
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def precheck(farm: Farm, request: JobRequest) -> CheckView:
    """Say what a job would take, and what speaks against it; nothing is left behind.

    Raises:
        BadInput: a file or an option cannot be used at all.
    """
    files = check(request)
    info = files.info
    findings = _Findings(notes=list(files.notes))
    num_workers = len(farm.broker.heartbeats.live())
    checked = _look_at_source(farm, request, findings) if num_workers else None
    if num_workers == 0:
        findings.notes.append("no worker is up: the portrait and the engine were not looked at")
    length_s = _length_s(request, info)
    num_frames = info.num_pictures or _num_frames(length_s, info)
    rest = None if num_frames is None else _estimate(farm, request, info, num_frames)
    if rest is None:
        findings.notes.append("no measurement yet of this engine, picture size and output: no time is known")
    _check_space(farm, request, info, rest, findings)
    return CheckView(
        ok=not findings.problems,
        problems=findings.problems,
        notes=findings.notes,
        unit="picture" if info.num_pictures else "frame",
        frames=num_frames,
        chunks=_num_chunks(farm, request, info, length_s),
        spool_bytes=None if rest is None else rest.num_bytes,
        spool_free_bytes=disk.free_bytes(farm.config.home),
        output_free_bytes=disk.free_bytes(Path(request.output).parent),
        render_s=None if rest is None else rest.render_s / max(1, num_workers),
        render_error_s=None if rest is None else rest.render_error_s / max(1, num_workers),
        measured_jobs=0 if rest is None else rest.num_jobs,
        workers=num_workers,
        faces=None if checked is None or checked.code is not None else len(checked.boxes),
    )


def _look_at_source(farm: Farm, request: JobRequest, findings: _Findings) -> SourceChecked | None:
    fuse = fuse_spec(request)
    portraits = [packed(Path(path)) for path in portraits_of(request)]
    # Named after what is asked: an answer that comes too late is dropped by the next question of the kind.
    digest = hashlib.sha256(repr(fuse).encode() + b"".join(portraits)).hexdigest()
    message = CheckSource(job_id=f"check-{digest[:16]}", fuse=fuse, num_references=len(request.references))
    try:
        checked = _ask(farm, message, portraits)
    except StoreFull:
        checked = None
    finally:
        _forget(farm, message.job_id)
    if checked is None:
        findings.notes.append("all workers are busy: the portrait was not looked at")
    elif checked.code is not None:
        findings.problems.append(f"{checked.message} [{checked.code}]")
    return checked


def _ask(farm: Farm, message: CheckSource, portraits: list[bytes]) -> SourceChecked | None:
    _forget(farm, message.job_id)
    for number, portrait in enumerate(portraits):
        put_portrait(farm, source_name(message.job_id, number), portrait)
    farm.publisher.check_source(message)
    end_s = farm.clock.now_s() + LOOK_S
    while farm.clock.now_s() < end_s:
        if (checked := farm.broker.leases.source_checked(message.job_id)) is not None:
            return checked
        farm.clock.sleep(PAUSE_S)
    return None


def _forget(farm: Farm, job_id: str) -> None:
    for name in farm.broker.segments.names(job_id):
        farm.broker.segments.delete(name)
    farm.broker.leases.forget_job(job_id)


def _length_s(request: JobRequest, info: MediaInfo) -> Fraction | None:
    if info.duration_s is None:
        return None
    return seconds_between(request.start, request.end, info.duration_s, info.video.average_rate)


def _num_frames(length_s: Fraction | None, info: MediaInfo) -> int | None:
    if length_s is None or info.video.average_rate is None:
        return None
    return max(1, round(length_s * info.video.average_rate))


def _num_chunks(farm: Farm, request: JobRequest, info: MediaInfo, length_s: Fraction | None) -> int | None:
    if info.num_pictures:
        num_workers = max(1, len(farm.broker.heartbeats.live()))
        return -(
            -info.num_pictures // pictures_a_chunk(info.num_pictures, num_workers, request.chunk_pictures)
        )
    if length_s is None:
        return None
    return max(1, math.ceil(float(length_s) / (request.chunk_seconds or farm.config.chunk_seconds)))


def _estimate(farm: Farm, request: JobRequest, info: MediaInfo, num_frames: int) -> Estimate | None:
    wanted = size_class(*info.video.upright_size)
    alike = [
        job
        for job in farm.store.measured_jobs(request.engine, MOST_MEASURED)
        if size_class(*StreamInfo.from_json(job.media["video"]).upright_size) == wanted
        and bool(job.media.get("num_pictures")) == bool(info.num_pictures)
        and job.request.get("lossless", False) == request.lossless
        and (job.request.get("restore"), job.request.get("upscale")) == (request.restore, request.upscale)
    ]
    return estimate(alike, num_frames=num_frames)


def _check_space(
    farm: Farm, request: JobRequest, info: MediaInfo, rest: Estimate | None, findings: _Findings
) -> None:
    spool, output = farm.config.home, Path(request.output).parent
    wanted = info.size_bytes if rest is None else rest.num_bytes
    is_one_disk = spool.stat().st_dev == output.stat().st_dev
    for place, copies in ((spool, 2 if is_one_disk else 1), *(() if is_one_disk else ((output, 1),))):
        needed, free = copies * wanted + disk.RESERVE_BYTES, disk.free_bytes(place)
        if free < needed:
            findings.problems.append(
                f"{place} has {free >> 20} MiB free, and this job needs about {needed >> 20} MiB there"
            )
