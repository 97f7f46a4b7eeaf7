"""Where an output grows, and how it comes into place: whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from farm.errors import OutputRefused


def partial_path(output: Path, job_id: str) -> Path:
    """Return where a job's output grows: beside its final place, so that the last step is a rename."""
    return output.with_name(f".{output.stem}.{job_id}.partial{output.suffix}")


def is_in_place(partial: Path, output: Path) -> bool:
    """Say whether a file has its name already, beside its old one: `put_in_place` was the last thing done."""
    return partial.exists() and output.exists() and output.samefile(partial)


def put_in_place(partial: Path, output: Path, *, overwrite: bool) -> None:
    """Give a finished file its name. It keeps the old one, too, unless `overwrite`; `clean` takes that away.

    Raises:
        OutputRefused: something has that name, and `overwrite` is false.
    """
    if overwrite:
        partial.replace(output)
        return
    try:
        # A link, unlike a rename, refuses to replace what somebody put there meanwhile.
        os.link(partial, output)
    except FileExistsError as error:
        partial.unlink()
        raise OutputRefused(
            f"{output} appeared while the job ran", hint="move it away, and `farm retry` the job"
        ) from error
