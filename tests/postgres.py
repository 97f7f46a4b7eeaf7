"""A PostgreSQL server for the tests: its own directory, a Unix socket, stopped by its own handle."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")


def find_program(name: str) -> str | None:
    """Return a PostgreSQL program: Debian keeps them off PATH, one directory a version."""
    found = sorted(DEBIAN.glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a fresh server's database."""
    directory = Path(tempfile.mkdtemp(prefix="farm-pg-"))
    user = _unprivileged()
    if user is not None:
        os.chown(directory, user.pw_uid, user.pw_gid)
    data = directory / "data"
    options = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    subprocess.run(
        [find_program("initdb"), "-D", data, "-U", "farm", "-A", "trust", "--no-sync", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=directory,
        **options,
    )
    server = subprocess.Popen(
        [find_program("postgres"), "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        **options,
    )
    try:
        _wait(directory)
        yield f"postgresql://farm@/postgres?host={directory}"
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(directory, ignore_errors=True)


def _wait(directory: Path) -> None:
    import time

    ready = find_program("pg_isready") or "pg_isready"
    for _ in range(100):
        if (
            subprocess.run(
                [ready, "-h", directory, "-U", "farm"], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return
        time.sleep(0.1)
    raise RuntimeError("PostgreSQL does not come up")


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else None
