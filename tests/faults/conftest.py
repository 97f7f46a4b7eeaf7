"""A farm with short terms for the tests of this folder, and a clip of many chunks."""

from __future__ import annotations

import pytest

from tests.faults.scene import quick_scene
from tests.faults.verdict import make_clip


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A farm of two workers whose processes a test may kill."""
    with quick_scene(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Many more chunks than two workers can render before they are held."""
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")
