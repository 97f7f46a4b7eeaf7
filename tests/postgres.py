"""A PostgreSQL server for the tests: its own directory, a Unix socket, stopped by its own handle."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
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


class PrivatePostgres:
    """A server of one's own, in `directory`, which must be empty; it is stopped until `start`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        user = _unprivileged()
        self._options = (
            {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        )
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        options = ("-U", "farm", "-A", "trust", "--no-sync", "-E", "UTF8")
        command = [find_program("initdb"), "-D", directory / "data", *options]
        subprocess.run(command, check=True, capture_output=True, cwd=directory, **self._options)
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of its database."""
        return f"postgresql://farm@/postgres?host={self._directory}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ("-k", self._directory, "-c", "listen_addresses=", "-c", "fsync=off")
        self._server = subprocess.Popen(
            [find_program("postgres"), "-D", self._directory / "data", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._directory,
            **self._options,
        )
        _wait(self._directory)

    def stop(self) -> None:
        """Stop it at once, whoever is connected (a fast shutdown)."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(20)


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """Yield a fresh server that runs."""
    directory = Path(tempfile.mkdtemp(prefix="farm-pg-"))
    server = PrivatePostgres(directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a fresh server's database."""
    with private_postgres() as server:
        yield server.url


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
