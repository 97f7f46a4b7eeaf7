"""A reconciler in a process of its own, that is killed, or stalls, at a place that a test chooses.

Everything in it is real: job store, Redis, files. Its effects are counted where they leave the process:
before each commit to the database, each command that changes Redis, and each change of a file or directory.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from redis.connection import AbstractConnection
from sqlalchemy import event

from broker.config import BrokerConfig
from farm import deliver, lock
from farm.advance import advance
from farm.bootstrap import Farm, open_farm
from farm.config import FarmConfig
from farm.states import LIVE_JOB_STATES

#: The lock of whoever dies here lapses after so long, in seconds: a test has many to wait for.
LOCK_S, RENEW_S = 0.2, 0.05

#: How often the job is moved on, in seconds.
TICK_S = 0.01

#: Changes of files and directories, as Python's audit events name them.
FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

#: Redis commands that change nothing that the farm would ever see.
READS = re.compile(
    rb"\*\d+\r\n\$\d+\r\n(HGETALL|HGET|HLEN|GET|SMEMBERS|SCAN|INFO|PING|LLEN|SCRIPT|CLIENT|HELLO)\r"
)


@dataclass(frozen=True)
class Doom:
    """What happens to a reconciler; by default nothing."""

    num_effects: int | None = None  # it is killed before the effect after so many
    output_bytes: int | None = None  # it is killed when its output would exceed so many
    stalls: bool = False  # it stops in the middle of its first output, until somebody wakes it


def farm_at(home: Path, redis_url: str) -> Farm:
    """Return a farm with short terms."""
    return open_farm(
        FarmConfig(home=home, database_url=f"sqlite:///{home / 'farm.db'}", reoffer_s=0.5),
        BrokerConfig(redis_url=redis_url, part_bytes=262144, lease_ttl_s=2.0, heartbeat_s=0.5),
    )


def reconcile(home: Path, redis_url: str, job_id: str, doom: Doom) -> None:
    """Move a job on until it is done and cleaned up, or until what is doomed to happen does."""
    lock.LOCK_S, lock.RENEW_S = LOCK_S, RENEW_S
    farm = farm_at(home, redis_url)
    if doom.num_effects is not None:
        _Effects(doom.num_effects).watch(farm)
    _doom_the_output(doom)
    while not (job := farm.store.job(job_id)).cleaned or job.state in LIVE_JOB_STATES:
        advance(farm, job_id)
        time.sleep(TICK_S)


class _Effects:
    """Counts what this thread does to the world, and ends the process before it does too much."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._thread = threading.get_ident()
        # The lock is taken and given back in every round, whatever there is to do.
        self._uncounted = [_digest(name) for name in ("lock", "unlock")]

    def watch(self, farm: Farm) -> None:
        """Begin to count."""
        event.listen(farm.store._engine, "commit", lambda _: self._count())
        sys.addaudithook(self._see_file)
        send = AbstractConnection.send_packed_command

        def sending(connection, command, **options):
            self._see_command(b"".join(command) if isinstance(command, list) else command)
            return send(connection, command, **options)

        AbstractConnection.send_packed_command = sending

    def _see_file(self, name: str, arguments: tuple) -> None:
        is_open = name == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if name in FILE_EVENTS or is_open:
            self._count()

    def _see_command(self, command: bytes) -> None:
        if not READS.match(command) and not any(digest in command for digest in self._uncounted):
            self._count()

    def _count(self) -> None:
        if threading.get_ident() != self._thread:
            return
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _digest(name: str) -> bytes:
    text = files("broker").joinpath("lua", f"{name}.lua").read_bytes()
    return hashlib.sha1(text).hexdigest().encode()


def _doom_the_output(doom: Doom) -> None:
    write = deliver.mux

    def writing(*arguments, **options):
        if doom.output_bytes is not None:
            # The kernel itself ends the process, inside its write.
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (doom.output_bytes, doom.output_bytes))
        if doom.stalls:
            deliver.mux = write
            tell = options["on_progress"]

            def stalling(done: int, total: int) -> None:
                if done < total:
                    os.kill(os.getpid(), signal.SIGSTOP)
                tell(done, total)

            options["on_progress"] = stalling
        return write(*arguments, **options)

    deliver.mux = writing
