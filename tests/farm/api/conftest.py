"""The service on a real store and a real Redis, and its client."""

from __future__ import annotations

import dataclasses

import httpx
import pytest

from farm.api.app import create_app
from farm.bootstrap import open_farm
from farm.client import FarmClient
from farm.config import FarmConfig
from tests.farm.api.asgi import AppTransport
from tests.farm.clip import make_test_clip

TOKEN = "open-sesame"


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two seconds of moving pattern with a tone."""
    return make_test_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def farm(tmp_path, broker_config):
    config = FarmConfig(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path}/farm.db", api_token=TOKEN)
    farm = open_farm(config, broker_config)
    yield farm
    farm.store._engine.dispose()


@pytest.fixture
def transport(farm):
    return AppTransport(create_app(farm))


@pytest.fixture
def client(transport):
    with FarmClient("http://127.0.0.1:8787", TOKEN, transport=transport) as client:
        yield client


@pytest.fixture
def http(transport):
    """Plain HTTP, as strangers send it."""
    with httpx.Client(base_url="http://127.0.0.1:8787", transport=transport) as http:
        yield http


@pytest.fixture
def unreachable_farm(farm):
    """The same farm, whose Redis has gone."""
    from broker.config import BrokerConfig
    from broker.connect import open_broker

    broker = open_broker(BrokerConfig(redis_url="unix:///nowhere/redis.sock"))
    return dataclasses.replace(farm, broker=broker)
