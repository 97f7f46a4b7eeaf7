"""Downloads of large files: resumed where they broke off, checked before they count."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from broker.clock import Clock
from broker.installed import digest_of
from farm.errors import DownloadFailed, ModelRefused
from farm.modelstore.catalogue import KnownFile

#: Tries at one file, each going on where the last broke off, and the pause before another, in seconds.
TRIES = 4
PAUSE_S = 2.0

#: How long a server may say nothing, in seconds.
SILENCE_S = 30.0

# Takes bytes so far, and bytes in all where the server says.
OnProgress = Callable[[int, int | None], None]


def fetch(file: KnownFile, path: Path, clock: Clock, on_progress: OnProgress) -> None:
    """Download a file to `path`. Until it is whole it lies beside it, as NAME.part, and is kept.

    Raises:
        DownloadFailed: the server cannot be reached, does not have it, or broke off too often.
        ModelRefused: what came is not the known file; it is thrown away.
    """
    assert file.url is not None
    part = path.with_name(path.name + ".part")
    for remaining in reversed(range(TRIES)):
        try:
            _go_on(file.url, part, on_progress)
            break
        except httpx.TransportError as error:
            if remaining == 0:
                raise DownloadFailed(
                    f"{file.url} broke off: {error or type(error).__name__}",
                    hint="try again: it goes on where it broke off; offline, `farm models add PATH`",
                ) from error
            clock.sleep(PAUSE_S)
    _check(file, part)
    part.rename(path)


def _go_on(url: str, part: Path, on_progress: OnProgress) -> None:
    """Ask for what is missing of a file, and append it."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-", "Accept-Encoding": "identity"} if done else {}
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=SILENCE_S) as answer:
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it was there already; its digest will tell
        if answer.is_error:
            raise DownloadFailed(
                f"{url} answers {answer.status_code} {answer.reason_phrase}",
                hint="get the file from its publisher's page, then `farm models add PATH`",
            )
        if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
            done = 0  # the server begins anew
        total = _total(answer, done)
        with part.open("ab" if done else "wb") as out:
            for block in answer.iter_raw():
                out.write(block)
                done += len(block)
                on_progress(done, total)
    if total is not None and done != total:
        raise httpx.ReadError(f"{done} of {total} bytes came")


def _total(answer: httpx.Response, done: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return None if length is None else done + int(length)


def _check(file: KnownFile, part: Path) -> None:
    found = digest_of(part)
    if file.sha256 not in {None, found}:
        part.unlink()
        raise ModelRefused(
            f"{file.name} from {file.url} is not the known file: its SHA-256 is {found}, not {file.sha256}",
            hint="try again; if it stays so, its publisher has changed it: do not use it unasked",
        )
