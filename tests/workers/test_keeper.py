"""The keeper renews and beats whatever happens: without it a worker that renders would be given up."""

import dataclasses
import logging
import threading

import pytest

from broker.clock import SystemClock
from broker.config import BrokerConfig
from broker.connect import memory_broker
from broker.errors import BrokerUnreachable
from workers import keeper as module
from workers.config import STUCK_S
from workers.keeper import Keeper, Progress, first_beat
from workers.stuck import Patience

PATIENCE_S = 30


class Failing:
    """A store whose `method` raises what it is told to, and then does what it is there for."""

    def __init__(self, store, method, *errors):
        self._store, self._method, self._errors = store, method, list(errors)
        self.is_done = threading.Event()

    def __getattr__(self, name):
        found = getattr(self._store, name)
        return self._doing(found) if name == self._method else found

    def _doing(self, found):
        def do(*args, **kwargs):
            if self._errors:
                raise self._errors.pop(0)
            found(*args, **kwargs)
            self.is_done.set()

        return do


@pytest.fixture
def broker(monkeypatch):
    monkeypatch.setattr(module, "RENEW_S", 0.01)
    return memory_broker(BrokerConfig(heartbeat_s=0.01), SystemClock())


def keeper_of(broker) -> Keeper:
    return Keeper(broker, first_beat("w", "cpu", "1"), Patience(STUCK_S))


def lease_of(broker):
    broker.leases.offer("j", 0, 1)
    return broker.leases.claim("j", 0, 1, "w")


def unexpected(caplog) -> list[logging.LogRecord]:
    return [record for record in caplog.records if "goes on" in record.message]


def test_it_goes_on_beating_after_errors_of_any_kind(broker, caplog):
    """Each kind is logged once, with its place; the beat comes with the next turn."""
    errors = [RuntimeError("one"), RuntimeError("two"), KeyError("three"), BrokerUnreachable("away")]
    failing = Failing(broker.heartbeats, "beat", *errors)
    keeper = keeper_of(dataclasses.replace(broker, heartbeats=failing))
    keeper.start()
    try:
        assert failing.is_done.wait(PATIENCE_S)
    finally:
        keeper.close()
    told = unexpected(caplog)
    assert [record.exc_info[0] for record in told] == [RuntimeError, KeyError]
    assert "one" in str(told[0].exc_info[1])


def test_it_goes_on_renewing_after_errors_of_any_kind(broker, caplog):
    """The chunk is not stopped for it, and its lease lives on."""
    failing = Failing(broker.leases, "renew", ValueError("odd"), ValueError("odd again"))
    keeper, progress = keeper_of(dataclasses.replace(broker, leases=failing)), Progress()
    keeper.start()
    try:
        with keeper.holding(lease_of(broker), progress):
            assert failing.is_done.wait(PATIENCE_S)
            assert not progress.stop.is_set()
    finally:
        keeper.close()
    assert [record.exc_info[0] for record in unexpected(caplog)] == [ValueError]


def test_a_device_that_does_not_answer_silences_nobody(broker, monkeypatch, caplog):
    """What memory is taken is not known then; that the worker lives and what it does is told all the same."""

    def fail():
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(module, "footprint", fail)
    keeper, progress = keeper_of(broker), Progress()
    assert keeper.set_ready(("portrait",))
    with keeper.holding(lease_of(broker), progress):
        (beat,) = broker.heartbeats.live()
        assert (beat.state, beat.index, beat.memory_bytes) == ("busy", 0, 0)
    assert len(unexpected(caplog)) == 1


def test_a_lease_that_is_lost_stops_its_render(broker):
    """As ever: that is no error."""
    keeper, progress, lease = keeper_of(broker), Progress(), lease_of(broker)
    broker.leases.withdraw("j", 0)
    keeper.start()
    try:
        with keeper.holding(lease, progress):
            assert progress.stop.wait(PATIENCE_S)
    finally:
        keeper.close()
