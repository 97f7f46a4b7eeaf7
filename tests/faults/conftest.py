"""A farm with short terms for the tests of this folder, and a clip that takes it some seconds."""

from __future__ import annotations

import pytest

from tests.faults.scene import make_clip, quick_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A farm of two workers whose processes a test may kill."""
    with quick_scene(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A clip that takes two workers some seconds."""
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")
