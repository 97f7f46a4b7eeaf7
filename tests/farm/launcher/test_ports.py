"""Where Flower listens: where it was asked to, or nowhere; its default port may give way."""

from __future__ import annotations

import socket

import pytest

from farm.errors import BadInput
from farm.launching.config import LaunchConfig
from farm.launching.ports import flower_port


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_taken_as_wished():
    said = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wish = probe.getsockname()[1]
    assert flower_port(wish, is_chosen=True, say=said.append) == wish
    assert flower_port(0, is_chosen=True, say=said.append) > 0
    assert said == []


def test_the_default_port_gives_way_and_says_so(taken):
    said = []
    port = flower_port(taken, is_chosen=False, say=said.append)
    assert port not in {0, taken}
    assert said == [f"port {taken} is taken: Flower listens on {port} this time"]


def test_a_chosen_port_does_not_give_way(taken):
    with pytest.raises(BadInput, match=str(taken)) as caught:
        flower_port(taken, is_chosen=True, say=print)
    assert caught.value.code == "port-taken"


@pytest.mark.parametrize(("environment", "is_chosen"), [({}, False), ({"FARM_FLOWER_PORT": "7000"}, True)])
def test_a_port_is_chosen_by_naming_it(environment, is_chosen):
    assert LaunchConfig.from_environment(environment).is_flower_port_chosen is is_chosen
