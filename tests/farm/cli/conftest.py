"""The command line as scripts see it: a process, its exit code, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.farm.clip import make_test_clip

#: Longer than any command may take on a busy machine, in seconds.
TIMEOUT_S = 120


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two seconds of moving pattern with a tone."""
    return make_test_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def environment(tmp_path, home):
    """Nothing of the user's own farm, and a place for temporary files that tests can look into."""
    (tmp_path / "tmp").mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
    return {**own, "FARM_HOME": str(home), "TMPDIR": str(tmp_path / "tmp"), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def farm(environment):
    """Run `farm` with some arguments, and return how it ended."""

    def run(*arguments, **more):
        return subprocess.run(
            [sys.executable, "-m", "farm", *map(str, arguments)],
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    return run
