"""A farm's home: made where it is missing, with a fresh place for its children's temporary files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm.errors import BadInput

#: How the names of directories for temporary files begin.
TEMPORARY = "tmp-"


def make_home(home: Path) -> None:
    """Make a home and its directory of logs, unless they are there.

    Raises:
        BadInput: nothing can be written there.
    """
    with writing_in(home):
        (home / "logs").mkdir(parents=True, exist_ok=True)


def make_temporary(home: Path) -> Path:
    """Make and return a directory for the children's temporary files: who is killed cannot remove his own.

    Those of farms that died are removed. Each farm has its own, under a new name: the guard of one that was
    killed a moment ago may not be done with removing the old one. Whoever calls holds the home's lock.
    """
    for old in home.glob(f"{TEMPORARY}*"):
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=home))


@contextmanager
def writing_in(home: Path) -> Iterator[None]:
    """Say of a failed write what it means: this home cannot be a farm's.

    Raises:
        BadInput: something in the block could not be written.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or home
        raise BadInput(
            f"a farm cannot live in {home}: {where}: {error.strerror or error}",
            hint="set FARM_HOME to a directory that you may write, on a disk with room",
            code="home-unusable",
        ) from error
