"""Accept a job: look at the files, then write its row. Bad input ends here, with nothing left behind."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

from farm import disk
from farm.bootstrap import Farm
from farm.check import Checked, check
from farm.errors import FarmError
from farm.models import Job
from farm.people.album import album_path, copy_album, pictured
from farm.people.parts import copy_part
from farm.portraits import packed, portraits_of, source_path
from farm.requests import JobRequest


def submit(farm: Farm, request: JobRequest) -> str:
    """Accept a job and return its id.

    Raises:
        BadInput: as `check`.
        FarmError: the disk of the farm's home is full.
    """
    checked = check(request)
    job_id = f"{time.strftime('%y%m%d')}-{secrets.token_hex(4)}"
    directory = farm.config.job_directory(job_id)
    try:
        directory.mkdir(parents=True)
        for number, portrait in enumerate(portraits_of(request)):
            source_path(directory, number).write_bytes(packed(Path(portrait)))
        if request.gallery is not None and checked.album is not None:
            copy_part(Path(request.gallery), album_path(directory), pictured(checked.album))
        elif request.gallery is not None:
            copy_album(Path(request.gallery), album_path(directory))
        if checked.album is not None:
            checked.album.save(directory)
        farm.store.add_job(_row(farm, job_id, request, checked))
    except BaseException as error:
        shutil.rmtree(directory, ignore_errors=True)
        if disk.is_full(error):
            raise FarmError(
                f"the disk of {farm.config.home} is full",
                code="disk-full",
                hint="free some space, then submit again",
            ) from error
        raise
    farm.publisher.advance(job_id)
    return job_id


def _row(farm: Farm, job_id: str, request: JobRequest, checked: Checked) -> Job:
    return Job(
        id=job_id,
        created_at=farm.wall(),
        stage="waiting",
        input_path=request.input,
        output_path=request.output,
        source_path=request.source,
        engine="faces" if request.work == "faces" else request.engine,
        priority=request.priority,
        request=request.model_dump(),
        media=checked.info.to_json(),
        target=checked.delivery.to_json(),
        chunk_seconds=request.chunk_seconds or farm.config.chunk_seconds,
        notes=list(checked.notes),
    )
