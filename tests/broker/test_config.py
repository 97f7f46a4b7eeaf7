"""Settings come from the environment, and a bad one is named."""

from __future__ import annotations

import pytest

from broker.config import BrokerConfig


def test_an_empty_environment_gives_the_defaults():
    """Unset and empty variables are the same."""
    assert BrokerConfig.from_environment({"FARM_NAMESPACE": "", "HOME": "/"}) == BrokerConfig()


def test_every_setting_can_be_given():
    """Each variable is FARM_ and the field's name; numbers keep their kind."""
    config = BrokerConfig.from_environment(
        {
            "FARM_REDIS_URL": "unix:///run/redis.sock",
            "FARM_NAMESPACE": "studio",
            "FARM_WINDOW_BYTES": "1000",
            "FARM_PART_BYTES": "100",
            "FARM_LEASE_TTL_S": "3",
            "FARM_HEARTBEAT_S": "0.5",
            "FARM_VISIBILITY_TIMEOUT_S": "30",
            "FARM_SOCKET_TIMEOUT_S": "1",
        }
    )
    assert config == BrokerConfig(
        redis_url="unix:///run/redis.sock",
        namespace="studio",
        window_bytes=1000,
        part_bytes=100,
        lease_ttl_s=3.0,
        heartbeat_s=0.5,
        visibility_timeout_s=30.0,
        socket_timeout_s=1.0,
    )
    assert isinstance(config.window_bytes, int)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FARM_REDIS_URL", "localhost:6379"),
        ("FARM_WINDOW_BYTES", "256MiB"),
        ("FARM_WINDOW_BYTES", "0"),
        ("FARM_WINDOW_BYTES", "1000"),
        ("FARM_PART_BYTES", "-1"),
        ("FARM_LEASE_TTL_S", "soon"),
        ("FARM_LEASE_TTL_S", "3"),
        ("FARM_LEASE_TTL_S", "nan"),
        ("FARM_HEARTBEAT_S", "inf"),
        ("FARM_SOCKET_TIMEOUT_S", "0"),
    ],
)
def test_a_bad_value_names_its_variable(variable, text):
    """Not a number, out of range, or at odds with another setting."""
    with pytest.raises(ValueError, match=variable):
        BrokerConfig.from_environment({variable: text})


def test_a_password_is_not_shown():
    """A URL may hold one, and settings are logged."""
    assert "hunter2" not in repr(BrokerConfig(redis_url="redis://:hunter2@localhost/0"))
