"""Source portraits: what may be one, and how several pictures of one person travel as one.

A directory of pictures becomes a zip archive without compression: pictures are compressed already, and
workers know an archive by its first bytes.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from farm.errors import SourceRefused
from farm.media.picture import is_heif, is_picture
from farm.requests import JobRequest

#: Largest portrait taken, in bytes, all pictures together. It travels through Redis to every worker.
MAX_SOURCE_BYTES = 64 * 1024 * 1024

#: Pictures of one person that are taken: their embeddings' mean hardly moves after a handful.
MAX_PICTURES = 32

#: A moment that every entry of an archive gets: the same pictures must give the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def check_portrait(path: Path) -> None:
    """Look at a portrait, or a directory of them.

    Raises:
        SourceRefused: it is missing, cannot be read, is too large, or is no picture.
    """
    if path.is_dir():
        pictures = _pictures(path)
    elif path.is_file():
        pictures = [path]
    else:
        raise SourceRefused(f"no such source portrait: {path}", hint="check the path given with --source")
    for picture in pictures:
        if not os.access(picture, os.R_OK):
            raise SourceRefused(f"the source portrait {picture} cannot be read", hint="check its permissions")
    if sum(picture.stat().st_size for picture in pictures) > MAX_SOURCE_BYTES:
        raise SourceRefused(
            f"the source portrait {path} is larger than {MAX_SOURCE_BYTES >> 20} MiB",
            hint="a JPEG of 2,000 pixels a side is plenty",
        )
    for picture in pictures:
        _check_picture(picture)


def portraits_of(request: JobRequest) -> list[str]:
    """Return all portraits of a job, in the order in which workers number them: sources, then references."""
    return [*request.sources, *request.references]


def source_path(job_directory: Path, number: int) -> Path:
    """Return where a job's portrait of that number lies on disk."""
    return job_directory / ("source" if number == 0 else f"source-{number}")


def packed(path: Path) -> bytes:
    """Return what workers get: a picture's own bytes, or an archive of a directory's pictures, by name."""
    if not path.is_dir():
        return path.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as content:
        for picture in _pictures(path):
            content.writestr(zipfile.ZipInfo(picture.name, _EPOCH), picture.read_bytes())
    return archive.getvalue()


def _pictures(directory: Path) -> list[Path]:
    """Return all files of a directory but hidden ones, by name.

    Raises:
        SourceRefused: there are none, or too many.
    """
    files = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    if not 0 < len(files) <= MAX_PICTURES:
        raise SourceRefused(
            f"{directory} holds {len(files)} files", hint=f"give 1 to {MAX_PICTURES} portraits of one person"
        )
    return files


def _check_picture(path: Path) -> None:
    if is_picture(path):
        return
    kind = "a HEIF picture, which is not read here" if is_heif(path) else "not a picture"
    raise SourceRefused(
        f"the source portrait {path} is {kind}",
        hint="save it as JPEG or PNG; of a video, take one sharp frame",
        code="not-a-picture",
    )
