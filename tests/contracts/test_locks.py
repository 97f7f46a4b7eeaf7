"""What every lease table must do about the right to move a job on: one owner at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from broker.connect import Broker
from broker.leases import LeaseTable

JOB = "job"


@pytest.fixture
def leases(broker: Broker) -> LeaseTable:
    return broker.leases


def test_one_owner_moves_a_job_on(leases):
    """Others wait; the owner may ask again, and only it can give the right back."""
    assert leases.lock_job(JOB, "a", 60.0)
    assert leases.lock_job(JOB, "a", 60.0)
    assert not leases.lock_job(JOB, "b", 60.0)
    leases.unlock_job(JOB, "b")
    assert not leases.lock_job(JOB, "b", 60.0)
    assert leases.lock_job("another", "b", 60.0)
    leases.unlock_job(JOB, "a")
    assert leases.lock_job(JOB, "b", 60.0)


def test_a_lock_lapses(rig):
    """A farm process that died does not hold its job for ever, and cannot free its successor's lock."""
    leases = rig.broker.leases
    assert leases.lock_job(JOB, "a", 10.0)
    rig.elapse(6.0)
    assert leases.lock_job(JOB, "a", 10.0)
    rig.elapse(6.0)
    assert not leases.lock_job(JOB, "b", 10.0)
    rig.elapse(6.0)
    assert leases.lock_job(JOB, "b", 10.0)
    leases.unlock_job(JOB, "a")
    assert not leases.lock_job(JOB, "c", 10.0)


def test_one_of_twenty_owners_wins(leases):
    """However many farm processes look at a job at once, one moves it on."""
    with ThreadPoolExecutor(20) as pool:
        winners = sum(pool.map(lambda number: leases.lock_job(JOB, f"owner{number}", 60.0), range(20)))
    assert winners == 1
