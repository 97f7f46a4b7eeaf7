"""The programs that an all-in-one farm consists of, and the surroundings that they share."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm.launching.child import Program
from farm.redis_server import redis_command

#: Tasks that the farm's own process runs side by side: cutting, collecting and stitching of several jobs.
TASK_THREADS = 4

#: How long workers may take to stop, in seconds; their chunks are taken up by others after that.
WORKER_GRACE_S = 5.0

#: How `python -m workers` ends when it is given options that cannot be used here.
WORKER_REFUSAL = 2

#: Keeps the trackers of `farm.launching.guard` from calling what they remove a leak: that would be the log's
#: last line, where somebody looks for what the worker died of.
QUIET_TRACKERS = "ignore:semaphore_tracker,ignore:resource_tracker"

PYTHON = (sys.executable, "-m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every program of one farm is told."""

    home: Path
    environment: Mapping[str, str] = field(repr=False)

    def program(
        self,
        name: str,
        *command: str,
        grace_s: float = 3.0,
        fds: tuple[int, ...] = (),
        refusal: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Program:
        """Return a program that logs to the home's logs/NAME.log."""
        return Program(
            name=name,
            command=command,
            environment={**self.environment, **(extra or {})},
            log=self.home / "logs" / f"{name}.log",
            fds=fds,
            grace_s=grace_s,
            refusal=refusal,
        )


def redis_program(around: Surroundings, socket_path: Path, *, keeps_data: bool) -> Program:
    """Return the private Redis.

    Raises:
        ServiceMissing: there is no redis-server.
    """
    directory = around.home / "redis"
    return around.program("redis", *redis_command(directory, socket_path, keeps_data=keeps_data))


def tasks_program(around: Surroundings) -> Program:
    """Return the process that cuts, collects and stitches."""
    return around.program(
        "tasks",
        *(*PYTHON, "celery", "-A", "farm.tasks", "worker", "-Q", "farm", "-P", "threads"),
        *("-c", str(TASK_THREADS), "--without-gossip", "--without-mingle", "-n", "tasks@%h"),
        *("--loglevel", "info"),
    )


def api_program(around: Surroundings, descriptor: int) -> Program:
    """Return the HTTP service, on a socket that listens already: early callers wait and are not refused."""
    return around.program(
        "api",
        *(*PYTHON, "uvicorn", "--factory", "farm.api.app:create_app", "--fd", str(descriptor)),
        *("--log-level", "info", "--no-access-log", "--timeout-graceful-shutdown", "1"),
        fds=(descriptor,),
    )


def worker_programs(around: Surroundings, *, gpus: str, per_device: int, warm: str) -> Iterator[Program]:
    """Yield the workers: `per_device` processes on each GPU, or on the CPU."""
    threads = max(1, (os.cpu_count() or 1) // per_device)
    others = around.environment.get("PYTHONWARNINGS", "")
    for number in range(1, per_device + 1):
        yield around.program(
            f"worker-{number}",
            *(*PYTHON, "workers", "--gpus", gpus, "--warm", warm),
            *("--name", f"{socket.gethostname()}-{number}"),
            grace_s=WORKER_GRACE_S,
            refusal=WORKER_REFUSAL,
            extra={
                "FARM_WORKER_THREADS": around.environment.get("FARM_WORKER_THREADS", str(threads)),
                "PYTHONWARNINGS": ",".join(filter(None, (others, QUIET_TRACKERS))),
            },
        )


def flower_program(around: Surroundings, *, port: int, password: str) -> Program:
    """Return Flower, which shows the running chunks. The password travels where `ps` does not show it."""
    return around.program(
        "flower",
        *(*PYTHON, "celery", "-A", "broker.app", "flower", "--address=127.0.0.1", f"--port={port}"),
        extra={"FLOWER_BASIC_AUTH": f"farm:{password}"},
    )
