"""What every test may ask for. A test names what it needs with a marker; this file decides what that means.

A missing need skips the test on a developer's machine. Where it was promised, it fails instead: with CI=true,
or with FAIL_WITHOUT_REDIS=1 and the like. Only FAIL_WITHOUT_GPU promises a GPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

import pytest

from broker.config import BrokerConfig
from tests.fakes import FakeClock
from tests.postgres import running_postgres
from tests.services import (
    PrivateRedis,
    find_compiler,
    find_ffmpeg,
    find_gpu,
    find_postgres,
    find_redis,
    running_redis,
)

#: Marker: what it needs, in words, and how to find it.
REQUIREMENTS: dict[str, tuple[str, Callable[[], str | None]]] = {
    "needs_redis": ("a redis-server", find_redis),
    "needs_ffmpeg": ("an ffmpeg", find_ffmpeg),
    "needs_postgres": ("a PostgreSQL server", find_postgres),
    "needs_compiler": ("a C compiler", find_compiler),
    "needs_gpu": ("a CUDA device", find_gpu),
}


def pytest_configure(config: pytest.Config) -> None:
    for marker, (what, _) in REQUIREMENTS.items():
        config.addinivalue_line("markers", f"{marker}: needs {what}")
    config.addinivalue_line("markers", "soak: takes minutes; run with -m soak, or -m '' for everything")
    # An explicit -m '' asks for everything; without any -m the expression is empty too.
    is_chosen = any(argument.startswith("-m") for argument in config.invocation_params.args)
    if not is_chosen and not config.option.markexpr:
        config.option.markexpr = "not soak"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail, a test that needs what is not here."""
    for marker, (what, find) in REQUIREMENTS.items():
        if item.get_closest_marker(marker) is None or find() is not None:
            continue
        if is_promised(marker, os.environ):
            pytest.fail(f"needs {what}, which this machine was to have", pytrace=False)
        pytest.skip(f"needs {what}")


def is_promised(marker: str, environment: Mapping[str, str]) -> bool:
    """Say whether this machine was to have what `marker` needs."""
    name = marker.removeprefix("needs_").upper()
    is_in_ci = environment.get("CI", "").lower() == "true" and marker != "needs_gpu"
    return is_in_ci or environment.get(f"FAIL_WITHOUT_{name}", "") not in {"", "0"}


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when somebody sleeps on it."""
    return FakeClock()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[PrivateRedis]:
    """The session's own Redis; may hold what other tests left. Mark the test `needs_redis`."""
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: PrivateRedis) -> str:
    """The URL of an empty Redis, as `FARM_REDIS_URL` takes it. Mark the test `needs_redis`."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture
def broker_config(redis_url: str) -> BrokerConfig:
    """The settings of a farm on the empty Redis. Mark the test `needs_redis`."""
    return BrokerConfig(redis_url=redis_url)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a private server's database. Mark the test `needs_postgres`."""
    with running_postgres() as url:
        yield url
