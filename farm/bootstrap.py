"""Builds a farm from its settings: the one place where its parts are chosen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from broker.app import make_app
from broker.clock import Clock, SystemClock
from broker.config import BrokerConfig
from broker.connect import Broker, open_broker
from broker.publish import Publisher
from farm.config import FarmConfig
from farm.database import open_database
from farm.store import JobStore

#: A pause between two of many transactions, in seconds: about as long as one of them takes.
BREATH_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Farm:
    """What every use-case works with."""

    config: FarmConfig
    store: JobStore
    broker: Broker
    publisher: Publisher
    clock: Clock
    wall: Callable[[], float] = time.time  # Unix seconds, for the store

    def breathe(self) -> None:
        """Let others at the database, between two of many small transactions."""
        self.clock.sleep(BREATH_S)


def open_farm(config: FarmConfig, broker_config: BrokerConfig) -> Farm:
    """Open the store and the broker. Makes the farm's home and tables; does not wait for Redis."""
    config.home.mkdir(parents=True, exist_ok=True)
    return Farm(
        config=config,
        store=JobStore(open_database(config.database_url)),
        broker=open_broker(broker_config),
        publisher=Publisher(make_app(broker_config)),
        clock=SystemClock(),
    )
