"""The all-in-one farm: Redis, the farm's own process, the API, workers and Flower, as child processes."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from broker.clock import Clock
from broker.config import PART_BYTES, BrokerConfig
from farm.errors import BadInput, FarmUnreachable
from farm.launching.farm_file import FarmRecord, HomeLock, own_start
from farm.launching.home import make_home, make_temporary, writing_in
from farm.launching.lifeline import Lifeline
from farm.launching.plan import FarmPlan
from farm.launching.ports import LOOPBACK, flower_port, listen
from farm.launching.programs import (
    Surroundings,
    api_program,
    flower_program,
    redis_program,
    tasks_program,
    worker_programs,
)
from farm.launching.supervisor import Supervisor
from farm.redis_server import delete_keys, socket_path, socket_url, wait_for_redis

#: Deaths in a row after which a farm that somebody waits for is given up.
MOST_DEATHS = 4

#: Parts that a window of unusual size holds at least: several segments, each of several parts.
PARTS_IN_WINDOW = 16


class LocalFarm:
    """A farm of child processes. Call `tend` every now and then; leaving the block stops everything.

    Raises:
        BadInput: another farm has this home, it cannot be written, or a port is taken.
        ServiceMissing: there is no redis-server, and FARM_REDIS_URL names none.
    """

    def __init__(self, plan: FarmPlan, clock: Clock, say: Callable[[str], None] = lambda _: None) -> None:
        self._plan = plan
        self._clock = clock
        self._say = say
        self._home = plan.config.home
        make_home(self._home)
        with writing_in(self._home):
            self._lock = HomeLock(self._home)
        self._lifeline = Lifeline()
        most_deaths = MOST_DEATHS if plan.is_private else None
        self._supervisor = Supervisor(clock, self._lifeline, say, most_deaths=most_deaths)
        self._listener: socket.socket | None = None
        self._temporary: Path | None = None
        self._is_stopped = False
        self._outside: Path | None = None  # of Redis's socket, where the home's own path is too long for one
        self._namespace = f"farm-{secrets.token_hex(4)}"  # of a private farm in a Redis that others use
        try:
            with writing_in(self._home):
                self.record = self._start()
        except BaseException:
            self.stop()
            raise

    def tend(self) -> None:
        """Restart what died.

        Raises:
            BadInput: the workers cannot be what was asked for: on a GPU that is not there.
            FarmUnreachable: in a private farm, something dies again and again.
        """
        self._supervisor.tend()

    def wait_until_redis_answers(self) -> None:
        """Return when Redis answers.

        Raises:
            FarmUnreachable: it does not.
        """
        wait_for_redis(self.record.redis_url, self._clock, meanwhile=self.tend)
        if self._plan.launch.redis_url is None:
            # Whoever moved a job on here died with the last farm of this home; its locks would outlive it by
            # a minute, and a farm that was killed goes on at once.
            namespace = self._plan.launch.environment.get("FARM_NAMESPACE") or BrokerConfig().namespace
            delete_keys(self.record.redis_url, f"{namespace}:advancing")

    def remove_if_killed(self, path: Path) -> None:
        """Have a file removed if this process is killed before it can do so itself."""
        self._lifeline.add_path(path)

    def stop(self) -> None:
        """Stop everything, in order. Does nothing the second time."""
        if self._is_stopped:
            return
        self._is_stopped = True
        FarmRecord.remove(self._home)
        if self._plan.is_private:
            self._supervisor.kill(self._supervisor.names())  # nobody will ask for what it held
            self._empty_shared_redis()
        else:
            self._stop_in_order()
        if self._listener is not None:
            self._listener.close()
        for path in (self._temporary, self._outside):
            if path is not None:
                shutil.rmtree(path, ignore_errors=True)
        self._lifeline.close()
        self._lock.close()

    def _stop_in_order(self) -> None:
        names = self._supervisor.names()
        # Workers first, so that they can hand back what they hold; Redis last, since all others need it.
        self._supervisor.stop([name for name in names if name.startswith("worker-")])
        self._supervisor.stop([name for name in names if name != "redis"])
        self._supervisor.stop(["redis"])

    def _empty_shared_redis(self) -> None:
        url = self._plan.launch.redis_url
        if url is not None:
            with suppress(FarmUnreachable):  # it has gone, and what lay there with it, or is beyond our help
                delete_keys(url, self._namespace)

    def _start(self) -> FarmRecord:
        plan = self._plan
        if plan.is_private:
            self._lifeline.add_path(self._home)
        self._temporary = make_temporary(self._home)
        self._lifeline.add_path(self._temporary)
        self._listener = listen(plan.config.api_host, plan.config.api_port)
        port = self._listener.getsockname()[1]
        record = self._record(port)
        around = Surroundings(home=self._home, environment=self._environment(record, port))
        self._start_programs(around, record, self._listener.fileno())
        record.write(self._home)
        return record

    def _start_programs(self, around: Surroundings, record: FarmRecord, descriptor: int) -> None:
        plan = self._plan
        if plan.launch.redis_url is None:
            (self._home / "redis").mkdir(exist_ok=True)
            socket_file = socket_path(self._home)
            self._supervisor.start(redis_program(around, socket_file, keeps_data=not plan.is_private))
        # The slowest to be ready goes first. Nobody waits for anybody: each retries until Redis answers.
        for program in worker_programs(
            around, gpus=plan.gpus, per_device=plan.workers_per_device, warm=plan.warm
        ):
            self._supervisor.start(program)
        self._supervisor.start(api_program(around, descriptor))
        self._supervisor.start(tasks_program(around))
        if record.flower_url is not None and record.flower_password is not None:
            port = int(record.flower_url.rpartition(":")[2])
            self._supervisor.start(flower_program(around, port=port, password=record.flower_password))

    def _record(self, port: int) -> FarmRecord:
        plan = self._plan
        port_of_flower = self._flower_port()
        return FarmRecord(
            url=f"http://{plan.config.api_host}:{port}",
            token=plan.config.api_token or secrets.token_urlsafe(24),
            pid=os.getpid(),
            started=own_start(),
            redis_url=plan.launch.redis_url or socket_url(self._socket_file()),
            flower_url=None if port_of_flower is None else f"http://{LOOPBACK[0]}:{port_of_flower}",
            flower_password=None if port_of_flower is None else secrets.token_urlsafe(12),
        )

    def _flower_port(self) -> int | None:
        if not self._plan.has_flower:
            return None
        launch = self._plan.launch
        return flower_port(launch.flower_port, is_chosen=launch.is_flower_port_chosen, say=self._say)

    def _socket_file(self) -> Path:
        path = socket_path(self._home)
        if not path.is_relative_to(self._home):
            self._outside = path.parent
            self._lifeline.add_path(path.parent)
        return path

    def _environment(self, record: FarmRecord, port: int) -> dict[str, str]:
        plan = self._plan
        own = {
            "FARM_HOME": str(self._home),
            "FARM_REDIS_URL": record.redis_url,
            "FARM_DATABASE_URL": plan.config.database_url,
            "FARM_API_HOST": plan.config.api_host,
            "FARM_API_PORT": str(port),
            "FARM_API_TOKEN": record.token,
            "TMPDIR": str(self._temporary),
            "PYTHONUNBUFFERED": "1",  # a log that stops in the middle of a line helps nobody
        }
        if plan.window_bytes is not None:
            own["FARM_WINDOW_BYTES"] = str(plan.window_bytes)
            own["FARM_PART_BYTES"] = str(min(PART_BYTES, plan.window_bytes // PARTS_IN_WINDOW))
        if plan.is_private:
            own |= self._private_environment()
        environment = {"OMP_NUM_THREADS": "1", **plan.launch.environment, **own}
        _check_broker_settings(environment)
        return environment

    def _private_environment(self) -> dict[str, str]:
        # In a Redis that others use, their farm must not take this one's messages, nor this one theirs.
        return {} if self._plan.launch.redis_url is None else {"FARM_NAMESPACE": self._namespace}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _check_broker_settings(environment: Mapping[str, str]) -> None:
    """Find out here, in one line, what every child would otherwise die of."""
    try:
        BrokerConfig.from_environment(environment)
    except ValueError as error:
        raise BadInput(str(error), hint="unset the variable, or correct it") from error
