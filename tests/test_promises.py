"""The suite's own rules: what is missing is skipped at home and fails where it was promised; soaks wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REQUIREMENTS, is_promised

ROOT = Path(__file__).parents[1]

#: A test that needs what is surely missing here, and one that takes long.
SUITE = """
import pytest

@pytest.mark.needs_postgres
def test_needy():
    raise AssertionError

@pytest.mark.soak
def test_long():
    pass
"""


def run(tmp_path: Path, *options: str, **environment: str) -> str:
    """Run that suite under this suite's rules; return what pytest reports."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FAIL_", "FARM_", "PYTEST", "CI"))
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-rA",
        *options,
    ]
    done = subprocess.run(
        [*command, str(tmp_path)],
        cwd=tmp_path,
        env=clean | {"PYTHONPATH": str(ROOT), "WITHOUT_POSTGRES": "1"} | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_what_is_missing_is_skipped_at_home(tmp_path):
    """With its reason, so that the report says what was not tried."""
    report = run(tmp_path)
    assert "1 skipped, 1 deselected" in report
    assert "needs a PostgreSQL" in report


@pytest.mark.parametrize("promise", [{"CI": "true"}, {"FAIL_WITHOUT_POSTGRES": "1"}])
def test_what_was_promised_fails(tmp_path, promise):
    """Where a service was to be there, its absence is a failure, not a skip."""
    report = run(tmp_path, **promise)
    assert "1 failed" in report or "1 error" in report
    assert "was to have" in report


@pytest.mark.parametrize(
    ("options", "outcome"), [(["-m", ""], "1 passed, 1 skipped"), (["-m", "soak"], "1 passed")]
)
def test_soaks_run_when_asked_for(tmp_path, options, outcome):
    """`-m ''` is everything, as the Makefile has it; `-m soak` only these."""
    assert outcome in run(tmp_path, *options)


def test_continuous_integration_promises_all_but_a_gpu():
    """Its runners have none; a machine that has one says so itself."""
    assert {marker for marker in REQUIREMENTS if not is_promised(marker, {"CI": "true"})} == {"needs_gpu"}
    assert is_promised("needs_gpu", {"FAIL_WITHOUT_GPU": "1"})
    assert not any(is_promised(marker, {}) for marker in REQUIREMENTS)
