"""Numbers in words, and what a paused or failed job looks like."""

from __future__ import annotations

import pytest

from farm.cli.looking import _lines
from farm.cli.outcome import to_json
from farm.cli.wording import duration_about, progress_line, size
from farm.schemas import FailedChunk, PauseView
from farm.states import JobState
from tests.farm.cli.test_display import a_view


@pytest.mark.parametrize(
    "seconds, error_s, text", [(None, None, "-"), (123.0, None, "2:03"), (123.0, 10.4, "2:03 ± 0:10")]
)
def test_a_duration_says_how_sure_it_is(seconds, error_s, text):
    assert duration_about(seconds, error_s) == text


@pytest.mark.parametrize("num_bytes, text", [(1, "1 KiB"), (20 << 20, "20 MiB"), (3 << 29, "1.5 GiB")])
def test_sizes_have_the_unit_that_suits_them(num_bytes, text):
    assert size(num_bytes) == text


def test_the_progress_line_has_the_error_of_the_eta():
    assert "ETA 1:15 ± 0:05" in progress_line(a_view(eta_s=75.0, eta_error_s=5.0))


def test_a_paused_job_says_why_and_how_it_goes_on():
    view = a_view(
        state=JobState.PAUSED,
        stage="paused: disk full",
        pause=PauseView(code="disk-full", reason="the disk of /d is full"),
    )
    assert "the disk of /d is full" in progress_line(view)
    assert any("farm resume j1" in line for line in _lines(view))
    assert to_json(view)["pause"] == {"code": "disk-full", "reason": "the disk of /d is full"}


def test_a_failed_job_names_its_frames_and_how_to_retry():
    chunk = FailedChunk(index=4, start=100, end=150, attempts=3, error="crashed: it does (worker w)")
    view = a_view(state=JobState.FAILED, failed=[chunk], chunks_failed=2, can_retry=True)
    text = "\n".join(_lines(view))
    assert "frames [100, 150) after 3 attempts: crashed: it does (worker w)" in text
    assert "and 1 more chunks" in text
    assert "farm retry j1" in text
