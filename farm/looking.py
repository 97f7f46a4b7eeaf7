"""Find out who is in an input before anything is changed: the first pass of jobs that choose people.

Chunks of the first pass are offered, leased, retried and collected like any others; what comes back is who
was seen, and no video. From it follows, once for the whole job, which source each track gets.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker.people import ChunkSeen, unpacked
from farm.album.album import is_album
from farm.album.picture import is_called
from farm.bootstrap import Farm
from farm.collect import failed_chunks, spool
from farm.lock import JobLock
from farm.media.info import MediaInfo
from farm.media.moments import frame_at, parse_moment
from farm.models import Job
from farm.people.album import INDEX, Album, Pictured, Video, album_path, load_faces, pictured
from farm.people.casting import Cast, Casting, check_same_video
from farm.people.writing import write_album
from farm.prepare import kept_frames, load_album, load_manifest, manifest_path, references_path
from farm.requests import JobRequest
from farm.states import JobState


def has_album(farm: Farm, job: Job) -> bool:
    """Say whether it is known who is in the job's video."""
    return (album_path(farm.config.job_directory(job.id)) / INDEX).exists()


def is_ready(farm: Farm, job: Job, lock: JobLock) -> bool:
    """LOOKING → RENDERING, or STITCHING if a gallery is all that is wanted, once every chunk was looked at.

    Raises:
        JobFailed: chunks were given up, and the others are done.
        PersonNotFound: nobody in the video is whom its user means.
        GalleryRefused: the gallery that was given is of another video.
    """
    if not has_album(farm, job):
        now = farm.store.job(job.id)
        if now.num_rendered + now.num_failed < now.num_chunks:
            return False
        if now.num_failed > 0:
            raise failed_chunks(farm, job.id)
        _make_album(farm, job, lock)
    lock.renew()
    if JobRequest(**job.request).work == "faces":
        farm.store.move_job(
            job.id, JobState.LOOKING, JobState.STITCHING, stage="stitching", rendered_at=farm.wall()
        )
        return True
    _cast(farm, job)
    lock.renew()
    _plan_render(farm, job)
    farm.store.move_job(
        job.id,
        JobState.LOOKING,
        JobState.RENDERING,
        stage="rendering",
        first_frame_at=None,
        rendering_at=farm.wall(),
    )
    return True


def _make_album(farm: Farm, job: Job, lock: JobLock) -> None:
    """Join what was seen in all chunks, and put the album in its place, whole."""
    place = album_path(farm.config.job_directory(job.id))
    aside = place.with_name(f"people.{lock.owner}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    start, end = kept_frames(farm, job)
    size_bytes, num_frames = _input_size(farm, job)
    write_album(
        aside,
        _seen(farm, job, lock),
        job=job.id,
        video=Video(
            path=job.input_path,
            size_bytes=size_bytes,
            num_frames=num_frames,
            start=start,
            end=end,
            pictures=_pictures(farm, job),
        ),
        recogniser=_references(farm, job)[0],
        similarity=JobRequest(**job.request).similarity,
    )
    aside.rename(place)


def _seen(farm: Farm, job: Job, lock: JobLock) -> Iterator[ChunkSeen]:
    place = spool(farm, job.id)
    for chunk in farm.store.all_chunks(job.id):
        lock.renew()
        yield ChunkSeen.from_parts(place.parts(chunk.index, chunk.attempt))


def _cast(farm: Farm, job: Job) -> None:
    directory = album_path(farm.config.job_directory(job.id))
    request, album, faces = JobRequest(**job.request), Album.load(directory), load_faces(directory)
    size_bytes, num_frames = _input_size(farm, job)
    names = tuple(picture.name for picture in _pictures(farm, job))
    check_same_video(album, size_bytes=size_bytes, num_frames=num_frames, names=names)
    vectors = [_vector(text) for text in _references(farm, job)[1]]
    casting = Casting(
        album=album,
        faces=faces,
        similarity=request.similarity,
        sources=[Path(path).name for path in request.sources],
        references=dict(zip(request.references, vectors, strict=False)),
        frames_at=lambda moment: _frames_at(farm, job, moment),
    )
    decision = casting.decide(request.roles, request.rest)
    Cast(faces, decision.source_of).save(directory)
    if request.gallery is not None:
        farm.store.add_note(job.id, f"who is who is taken from the gallery {request.gallery}")
    for note in decision.notes:
        farm.store.add_note(job.id, note)


def _plan_render(farm: Farm, job: Job) -> None:
    """Let the same chunks be rendered, with attempts that follow those of the first pass.

    A message of the first pass that comes late must not pass for one of the second.
    """
    farm.store.plan_again(job.id, farm.breathe)
    shutil.rmtree(farm.config.job_directory(job.id) / "spool", ignore_errors=True)


def _frames_at(farm: Farm, job: Job, moment: str | None) -> Sequence[int]:
    """Return the frame of a moment; of pictures, the one of that name, or all."""
    pictures = _pictures(farm, job)
    if pictures:
        return [
            number
            for number, picture in enumerate(pictures)
            if moment is None or is_called(picture.name, moment)
        ]
    if moment is None:
        return [kept_frames(farm, job)[0]]
    rate = MediaInfo.from_json(job.media).video.average_rate
    return [frame_at(parse_moment(moment, rate), load_manifest(manifest_path(farm, job.id)))]


def _pictures(farm: Farm, job: Job) -> tuple[Pictured, ...]:
    """Return the job's pictures, as workers look at them; none of a video."""
    if not is_album(MediaInfo.from_json(job.media)):
        return ()
    return pictured(load_album(farm, job.id))


def _input_size(farm: Farm, job: Job) -> tuple[int, int]:
    """Return the input's bytes and frames."""
    manifest, info = load_manifest(manifest_path(farm, job.id)), MediaInfo.from_json(job.media)
    size_bytes = info.size_bytes if is_album(info) else Path(job.input_path).stat().st_size
    return size_bytes, manifest.num_frames


def _references(farm: Farm, job: Job) -> tuple[str, list[str]]:
    """Return which recogniser the workers have, and who is on each reference."""
    body = json.loads(references_path(farm, job.id).read_text())
    return body["recogniser"], body["references"]


def _vector(text: str) -> NDArray[np.float64]:
    return np.frombuffer(unpacked(text), "<f2").astype(np.float64)
