"""The farm's own detector, one for all of a process that have no device of their own."""

from __future__ import annotations

import functools

from workers.engine.budget import this_residency
from workers.engine.residency import Residency
from workers.models.device import best_device
from workers.models.mtcnn_cascade import FaceFinder


def own_finder() -> FaceFinder:
    """Return the detector, which is small, and stays: its weights count within the worker's memory.

    What a pass takes beside them (measured: 13 MB in an empty picture, 71 MB in a crowd) is what the budget's
    reserve is for.
    """
    return _kept(this_residency())


@functools.cache
def _kept(residency: Residency) -> FaceFinder:
    finder = FaceFinder(best_device())
    residency.keep("mtcnn", finder.size_bytes)
    return finder
