"""Full disks: how one is recognised, and how much a job still needs."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import OperationalError

from farm.bootstrap import Farm
from farm.models import Job
from farm.states import JobState

#: What the kernel says of a disk, or of a user's share of it, that is full.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

#: What must be free beyond the estimate, in bytes: who resumes into the last block stops again at once.
RESERVE_BYTES = 16 * 2**20


#: A file of so many bytes lies in the farm's home to be given up: with it gone, the database and Redis's log
#: can still take the few rows and commands that say why everything waits.
SPARE_NAME, SPARE_BYTES = "spare", 4 * 2**20

#: Less free than this, in bytes, and it is given up before anybody has met the end.
LOW_BYTES = 2**20


def is_full(error: BaseException | None) -> bool:
    """Say whether an error comes from a full disk, itself or what caused it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        # SQLite has an error code of its own for it; the driver hands on its text.
        if isinstance(error, OperationalError) and "disk is full" in str(error.orig):
            return True
        error = error.__cause__
    return False


def tend_spare(home: Path) -> None:
    """Give the spare file up when the disk is nearly full, and have it again when there is room."""
    free, spare = free_bytes(home), home / SPARE_NAME
    if free < LOW_BYTES:
        give_up_spare(home)
    elif free > SPARE_BYTES + RESERVE_BYTES and not spare.exists():
        with suppress(OSError), spare.open("wb") as file:  # the next round tries again
            os.posix_fallocate(file.fileno(), 0, SPARE_BYTES)


def give_up_spare(home: Path) -> None:
    """Give the spare file up."""
    (home / SPARE_NAME).unlink(missing_ok=True)


def place_of(farm: Farm, job: Job) -> Path:
    """Return the directory in which a job writes in its state."""
    if job.state == JobState.STITCHING:
        return Path(job.output_path).parent
    return farm.config.job_directory(job.id)


def needed_bytes(job: Job) -> int:
    """Return about how many bytes a job must still write in its state."""
    if job.state == JobState.STITCHING:
        return job.rendered_bytes + RESERVE_BYTES
    if job.frames_rendered == 0:
        return int(job.media.get("size_bytes", 0)) + RESERVE_BYTES
    frames_left = job.num_frames - job.frames_rendered
    return job.rendered_bytes * frames_left // job.frames_rendered + RESERVE_BYTES


def free_bytes(place: Path) -> int:
    """Return how many bytes may still be written in a directory, or in the nearest one above that exists."""
    while not place.is_dir() and place != place.parent:
        place = place.parent
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize
