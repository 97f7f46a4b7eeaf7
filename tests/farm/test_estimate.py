"""Estimates and their errors: from the spread of what was measured."""

from __future__ import annotations

import math
import random

import pytest

from farm.estimate import estimate, eta_error_s, size_class
from tests.farm.rows import a_job


def a_measured_job(paces: list[float], *, num_chunks: int | None = None, frames: int = 10):
    return a_job(
        num_chunks=num_chunks or len(paces),
        num_in_flight=0,
        num_rendered=len(paces),
        num_failed=0,
        num_paces=len(paces),
        pace_sum=sum(paces),
        pace_sq_sum=sum(pace * pace for pace in paces),
        frames_rendered=frames * len(paces),
        rendered_bytes=1000 * len(paces),
    )


def test_without_a_measurement_there_is_no_estimate():
    assert estimate([], num_frames=100) is None
    assert estimate([a_measured_job([])], num_frames=100) is None


def test_an_estimate_is_the_mean_of_earlier_jobs_and_its_error_their_spread():
    jobs = [a_measured_job([0.1, 0.1]), a_measured_job([0.3, 0.3])]
    found = estimate(jobs, num_frames=100)
    assert found.render_s == pytest.approx(20.0)
    assert found.render_error_s == pytest.approx(2 * math.sqrt(0.02) * 100)
    assert found.num_bytes == 100 * 4000 // 40
    assert found.num_jobs == 2


def test_the_eta_has_no_error_before_two_chunks_and_none_when_all_take_the_same():
    assert eta_error_s(a_measured_job([0.1], num_chunks=9), 60.0) is None
    assert eta_error_s(a_measured_job([0.1] * 4, num_chunks=9), 60.0) == pytest.approx(0.0, abs=1e-5)


def test_the_eta_lies_in_its_interval_about_nineteen_times_in_twenty():
    """Chunks of random pace on one worker: the time that the rest takes, against what was said after ten."""
    chosen = random.Random(7)
    hits = 0
    for _ in range(400):
        paces = [chosen.lognormvariate(0, 0.4) for _ in range(40)]
        job = a_measured_job(paces[:10], num_chunks=40)
        eta_s = sum(paces[:10]) / 10 * 30
        hits += abs(sum(paces[10:]) - eta_s) <= eta_error_s(job, eta_s)
    assert 0.88 <= hits / 400 <= 1.0


def test_the_classes_of_pictures():
    sizes = [(640, 360), (1280, 720), (1920, 1080), (1080, 1920), (3840, 2160), (4096, 2160), (7680, 4320)]
    assert [size_class(*size) for size in sizes] == [0, 0, 1, 1, 2, 2, 3]
