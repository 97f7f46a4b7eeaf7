"""Where an output grows, and how it comes into place: whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from farm.errors import OutputRefused, StaleTransition
from farm.media.delivery import Delivery
from farm.models import Job


def output_paths(job: Job) -> list[Path]:
    """Return where a job's outputs go, the first one being the job's `output_path`."""
    outputs = Delivery.from_json(job.target, job.output_path).outputs
    return [Path(target.path) for target in outputs] or [Path(job.output_path)]


def partial_paths(job: Job) -> list[Path]:
    """Return the directories in which a job's outputs grow."""
    return [partial_path(output, job.id) for output in output_paths(job)]


def partial_path(output: Path, job_id: str) -> Path:
    """Return the directory in which a job's output grows: beside its final place, on the same disk."""
    return output.with_name(f".{output.stem}.{job_id}.partial")


@contextmanager
def growing(output: Path, job_id: str, owner: str) -> Iterator[Path]:
    """Yield the file that `owner` alone writes; what others left half written is removed first.

    Two never write one file: whoever stalled until another took the job over still has its own, which has no
    name any more. If the block fails, the file is removed.

    Raises:
        OutputRefused: nothing can be written beside the output.
    """
    discard_partial(output, job_id)
    directory = partial_path(output, job_id)
    _make(directory)
    partial = directory / f"{owner}{output.suffix}"
    try:
        yield partial
    except BaseException:
        partial.unlink(missing_ok=True)
        with suppress(OSError):
            directory.rmdir()  # unless somebody else writes there by now
        raise


def remove_output(output: Path) -> None:
    """Remove a finished output: a file, or a gallery with all that is in it."""
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)


def discard_partial(output: Path, job_id: str) -> None:
    """Remove whatever of a job's output is not in its place."""
    shutil.rmtree(partial_path(output, job_id), ignore_errors=True)


def discard_partials(job: Job) -> None:
    """Remove whatever of any of a job's outputs is not in its place."""
    for output in output_paths(job):
        discard_partial(output, job.id)


def is_in_place(output: Path, job_id: str) -> bool:
    """Say whether a file has its name already, beside its old one: `put_in_place` was the last thing done."""
    if not output.exists():
        return False
    return any(output.samefile(partial) for partial in partial_path(output, job_id).glob("*"))


def put_in_place(partial: Path, output: Path, *, overwrite: bool) -> None:
    """Give a finished file its name. It keeps the old one, too, unless `overwrite`; `clean` takes that away.

    Raises:
        OutputRefused: something has that name, and `overwrite` is false.
        StaleTransition: the file is gone: whoever has taken the job over has removed it.
    """
    try:
        if overwrite:
            partial.replace(output)
        else:
            # A link, unlike a rename, refuses to replace what somebody put there meanwhile.
            os.link(partial, output)
    except FileNotFoundError as error:
        raise StaleTransition(f"{partial} was removed: somebody else stitches the job") from error
    except FileExistsError as error:
        raise OutputRefused(
            f"{output} appeared while the job ran", hint="move it away, and `farm retry` the job"
        ) from error


def _make(directory: Path) -> None:
    try:
        directory.mkdir(exist_ok=True)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise OutputRefused(
            f"nothing can be written in {directory.parent}: {error.strerror}",
            hint="make it a directory that the farm may write, and `farm retry` the job",
        ) from error
