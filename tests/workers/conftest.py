"""What all tests of workers share."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(scope="session", autouse=True)
def _few_objects():
    """Have the collector forget what earlier tests have left.

    Workers collect garbage whenever a network leaves. In a process that has run two thousand tests that takes
    seconds each time, in a worker's own milliseconds.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
