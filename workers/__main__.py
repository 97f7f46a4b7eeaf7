"""Start workers on this machine: `python -m workers [--gpus all|none|0,1] [--name NAME] [--warm ENGINES]`.

One Celery process per GPU, pinned to it before anything touches a device; on a machine without GPUs, one
on the CPU. Knows the farm by FARM_REDIS_URL alone.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from types import FrameType

from broker.config import BrokerConfig
from broker.queues import RENDER, personal_queue
from workers.config import EngineConfig, WorkerConfig, child_environment
from workers.dying import die_with_parent
from workers.engine.settings import settings_of
from workers.errors import BadSettings, NoSuchGpu
from workers.gpus import choose_gpus

#: Exit code for options that cannot be used here, as everywhere in the farm.
BAD_USAGE = 2


def main(arguments: list[str] | None = None) -> int:
    """Start the workers, and stay until they have all ended or a signal stops them."""
    options = _parser().parse_args(arguments)
    try:
        BrokerConfig.from_environment()
        WorkerConfig.from_environment()
        EngineConfig.from_environment()
    except ValueError as error:
        sys.stderr.write(f"error: {error}\nhint: unset the variable, or correct it\n")
        return BAD_USAGE
    try:
        settings_of(_engine(options))
    except BadSettings as error:
        hint = "python -m workers.engine.settings prints every key, its default and its meaning"
        sys.stderr.write(f"error: {error}\nhint: {hint}\n")
        return BAD_USAGE
    try:
        gpus = choose_gpus(options.gpus)
    except NoSuchGpu as error:
        sys.stderr.write(f"error: {error}\nhint: --gpus all takes those there are, --gpus none the CPU\n")
        return BAD_USAGE
    if len(gpus) == 1:
        # No process in between: signals reach Celery itself.
        os.execve(sys.executable, *_worker(options, gpus[0]))  # noqa: S606 - no shell is wanted
    children = [_start(options, gpu) for gpu in gpus]

    def stop(number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(signal.SIGTERM if number != signal.SIGINT else signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return max(_status(child.wait()) for child in children)


def _start(options: argparse.Namespace, gpu: str | None) -> subprocess.Popen[bytes]:
    command, environment = _worker(options, gpu)
    parent = os.getpid()
    return subprocess.Popen(
        command,
        env=environment,
        preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509 - no other thread runs here yet
    )


def _status(returncode: int) -> int:
    """Return an exit status as shells have it: a process that a signal ended is no success."""
    return 128 - returncode if returncode < 0 else returncode


def _worker(options: argparse.Namespace, gpu: str | None) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment of one worker."""
    name = options.name or f"{socket.gethostname()}-{uuid.uuid4().hex[:6]}"
    if gpu is not None:
        name = f"{name}-gpu{gpu}"
    command = [
        *(sys.executable, "-m", "celery", "-A", "workers.tasks", "worker"),
        *(
            "--queues",
            f"{RENDER},{personal_queue(name)}",
            "--concurrency",
            "1",
            "--pool",
            "prefork",
            "--pool-start-method",
            "spawn",
        ),
        *("--hostname", name, "--without-mingle", "--without-gossip", "--loglevel", options.loglevel),
    ]
    return command, child_environment(name=name, warm=options.warm, gpu=gpu, engine=_engine(options))


def _engine(options: argparse.Namespace) -> EngineConfig:
    """Return what the options, and where they are silent the environment, say of the engine."""
    around = EngineConfig.from_environment()
    limit_gb = options.gpu_memory_limit
    return EngineConfig(
        settings_path=options.settings or around.settings_path,
        profile=options.profile or around.profile,
        gpu_memory_limit_gb=around.gpu_memory_limit_gb if limit_gb is None else limit_gb,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--gpus", default="all", help="all (default), none, or indexes: 0,1")
    parser.add_argument(
        "--name", default="", help="shown on every chunk; by default the host and a random suffix"
    )
    parser.add_argument("--warm", default="portrait", help="engines made ready at start, comma-separated")
    parser.add_argument(
        "--gpu-memory-limit",
        type=float,
        metavar="GB",
        help="device memory that the engine may take; by default 90 %% of a GPU's free memory",
    )
    parser.add_argument("--profile", help="auto (default), entry, mainstream or professional")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="farm.yaml: settings of the engine")
    parser.add_argument("--loglevel", default="info", help="Celery's log level")
    return parser


if __name__ == "__main__":
    sys.exit(main())
