"""Finding the farm that a command speaks to."""

from __future__ import annotations

from broker.clock import Clock
from farm.cli.config import CliConfig
from farm.client import FarmClient
from farm.errors import FarmUnreachable
from farm.launcher import LocalFarm
from farm.launching.farm_file import FarmRecord

#: How long a farm that runs may take to answer before another is used in its place, in seconds.
ANSWER_S = 3.0

#: How long a farm that was just started may take to answer, in seconds. Some two, on a busy machine ten.
START_S = 60.0

#: One try at a farm that starts; in between, its children are looked after.
TRY_S = 1.0

#: Pause after a try that failed at once.
PAUSE_S = 0.05


def connect(config: CliConfig) -> FarmClient:
    """Return a client of the user's farm: the one at FARM_URL, else the one that runs in FARM_HOME.

    Raises:
        FarmUnreachable: there is none.
    """
    client = find(config)
    if client is not None:
        return client
    record = FarmRecord.read(config.farm.home)
    if record is not None:
        raise FarmUnreachable(
            f"the farm in {config.farm.home} (process {record.pid}) does not answer",
            hint=f"its logs lie in {config.farm.home / 'logs'}",
        )
    raise FarmUnreachable(
        f"no farm is up in {config.farm.home}",
        hint="start one with `farm up`, or set FARM_URL to where one is",
    )


def find(config: CliConfig) -> FarmClient | None:
    """Return a client of the user's farm, or None if none runs in FARM_HOME.

    Raises:
        FarmUnreachable: FARM_URL names one, and it does not answer.
    """
    record = FarmRecord.read(config.farm.home)
    if config.farm_url is not None:
        return _at_url(config, config.farm_url, record)
    if record is None:
        return None
    client = FarmClient(record.url, record.token)
    try:
        client.health(timeout_s=ANSWER_S)
    except FarmUnreachable:
        client.close()
        return None
    return client


def connect_to_new(farm: LocalFarm, clock: Clock) -> FarmClient:
    """Return a client of a farm that this process started, as soon as it answers.

    Raises:
        FarmUnreachable: it does not.
    """
    farm.wait_until_redis_answers()
    client = FarmClient(farm.record.url, farm.record.token)
    end_s = clock.now_s() + START_S
    while True:
        farm.tend()
        try:
            client.health(timeout_s=TRY_S)
        except FarmUnreachable:
            if clock.now_s() > end_s:
                raise
            clock.sleep(PAUSE_S)
        else:
            return client


def _at_url(config: CliConfig, url: str, record: FarmRecord | None) -> FarmClient:
    is_own = record is not None and record.url == url.rstrip("/")
    token = config.farm.api_token or (record.token if record is not None and is_own else "")
    client = FarmClient(url, token)
    client.health(timeout_s=ANSWER_S)
    return client
