"""What `farm up`, `down` and `worker` do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from broker.clock import SystemClock
from farm.cli.config import CliConfig
from farm.cli.connection import connect_to_new
from farm.cli.exits import DONE
from farm.cli.interruption import Interrupted
from farm.cli.signals import Terminated, ignore_until_exit, raise_when_asked_to_end
from farm.errors import BadInput, FarmError, FarmUnreachable
from farm.launcher import LocalFarm
from farm.launching.config import LaunchConfig
from farm.launching.farm_file import FarmRecord
from farm.launching.identity import ProcessHandle, is_running
from farm.launching.plan import FarmPlan
from farm.launching.ports import LOOPBACK

#: How often the farm's children are looked at, in seconds.
LOOK_S = 0.2

#: How long a farm may take to stop: its workers' and its tasks' grace, and some more.
STOP_S = 30.0


def run_farm(*, workers: int | None, gpus: str, window_bytes: int | None, warm: str, has_flower: bool) -> int:
    """Run a farm until it is asked to stop.

    Raises:
        Interrupted: Ctrl-C asked.
    """
    plan = FarmPlan(
        config=CliConfig.from_environment().farm,
        launch=LaunchConfig.from_environment(),
        gpus=gpus,
        workers_per_device=workers or 1,
        warm=warm,
        window_bytes=window_bytes,
        has_flower=has_flower,
    )
    raise_when_asked_to_end()
    try:
        _host(plan)
    except Terminated:  # `farm down` asked: that is how a farm ends well
        _say("the farm is down")
    except KeyboardInterrupt as interrupt:
        raise Interrupted("the farm is down") from interrupt
    return DONE


def stop_farm() -> int:
    """Stop the farm that is up in the user's home."""
    home = CliConfig.from_environment().farm.home
    record = FarmRecord.read(home)
    if record is None:
        raise FarmUnreachable(f"no farm is up in {home}", hint="FARM_HOME names the home of another one")
    try:
        with ProcessHandle(record.pid, record.started) as process:
            process.terminate()
    except ProcessLookupError:
        pass  # it ended just now
    _wait_for_end(record)
    sys.stdout.write("the farm is down\n")
    return DONE


def run_worker(*, gpus: str, name: str, warm: str, engine: Mapping[str, object]) -> int:
    """Become a worker of the farm at FARM_REDIS_URL; returns only if that cannot be done.

    `engine` holds the worker's own options by name; those that are None are not given.
    """
    if CliConfig.from_environment().redis_url is None:
        raise BadInput(
            "a worker must know the farm's Redis, and FARM_REDIS_URL is not set",
            hint="`farm up` prints it: FARM_REDIS_URL=… farm worker",
            code="no-redis-url",
        )
    command = [sys.executable, "-m", "workers", "--gpus", gpus, "--warm", warm]
    command += ["--name", name] if name else []
    for option, value in engine.items():
        command += [] if value is None else [option, str(value)]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted: this process becomes the worker


def _host(plan: FarmPlan) -> None:
    clock = SystemClock()
    with ExitStack() as stack:
        farm = stack.enter_context(LocalFarm(plan, clock, _say))
        stack.callback(ignore_until_exit)  # first to be called: the stop must not be interrupted
        connect_to_new(farm, clock).close()
        _say("\n".join(_lines(farm.record, plan.config.home)))
        while True:
            farm.tend()
            clock.sleep(LOOK_S)


def _wait_for_end(record: FarmRecord) -> None:
    clock = SystemClock()
    end_s = clock.now_s() + STOP_S
    while is_running(record.pid, record.started):
        if clock.now_s() > end_s:
            raise FarmError(f"the farm (process {record.pid}) does not stop", code="farm-stuck")
        clock.sleep(LOOK_S)


def _lines(record: FarmRecord, home: Path) -> Iterator[str]:
    yield f"the farm is up in {home}"
    yield f"  API      {record.url}, described at /docs (a page that needs the internet) and /openapi.json"
    if record.flower_url is not None:
        yield f"  Flower   {record.flower_url}  (user farm, password {record.flower_password})"
    yield f"  workers  FARM_REDIS_URL={record.redis_url} farm worker"
    redis = urlsplit(record.redis_url)
    if redis.scheme == "unix" or redis.hostname in LOOPBACK:
        yield "           on this machine only; workers elsewhere need a Redis that they reach:"
        yield "           FARM_REDIS_URL=redis://:PASSWORD@HOST:6379/0 farm up, and likewise … farm worker"
    yield f"  logs     {home / 'logs'}"
    yield "Ctrl-C or `farm down` stops it."


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
