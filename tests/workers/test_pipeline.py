"""Stages overlap, keep the order, hand errors on, and end when they should."""

import threading

import pytest

from workers.errors import Stopped
from workers.pipeline import ahead


@pytest.fixture
def stop():
    return threading.Event()


def test_order_is_kept(stop):
    assert list(ahead(ahead(range(100), 3, stop=stop), 2, stop=stop)) == list(range(100))


def test_an_error_comes_at_its_place(stop):
    def items():
        yield 1
        raise ValueError("two")

    results = ahead(items(), 4, stop=stop)
    assert next(results) == 1
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_no_more_than_depth_runs_ahead(stop):
    """The producer holds one item more than the queue takes, and no further."""
    made = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    results = ahead(items(), 3, stop=stop)
    next(results)
    threading.Event().wait(0.2)
    assert len(made) <= 5
    results.close()


def test_closing_ends_the_thread(stop):
    before = threading.active_count()
    results = ahead(iter(int, 1), 2, stop=stop)
    next(results)
    results.close()
    assert threading.active_count() == before


def test_stop_ends_a_reader_that_waits(stop):
    results = ahead((threading.Event().wait(0.3) for _ in range(100)), 2, stop=stop)
    next(results)
    stop.set()
    with pytest.raises(Stopped):
        list(results)
