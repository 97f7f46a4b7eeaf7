"""Swap networks exported for one crop, several crops at a time: fewer runs, and the same pixels."""

from __future__ import annotations

import numpy as np
import pytest

from broker.installed import ModelStore
from broker.messages import FuseSpec
from tests.workers.face.moving import HOPPER, BlinkingFinder, frame_of, moving_picture
from tests.workers.identity.tiny import install
from workers.frames import Frame
from workers.media.pictures import planes_of
from workers.swappers import open_swapper

NUM_FRAMES = 8
CLIP = [frame_of(moving_picture(i), i) for i in range(NUM_FRAMES)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    directory = tmp_path_factory.mktemp("alone")
    store = ModelStore(directory / "models")
    return opened(install(store, directory, "inswapper"), store)


@pytest.fixture
def by_threes(tmp_path, monkeypatch):
    (tmp_path / "farm.yaml").write_text("inference: {batch: 3}")
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(tmp_path / "farm.yaml"))
    store = ModelStore(tmp_path / "models")
    return opened(install(store, tmp_path, "inswapper"), store)


def opened(name, store):
    swapper = open_swapper(name, store)
    swapper._finder = BlinkingFinder()
    swapper._network.sizes = sizes = []
    run = swapper._network._run
    swapper._network._run = lambda blobs, source: sizes.append(len(blobs)) or run(blobs, source)
    return swapper


def run(swapper, clip):
    fuse = FuseSpec(engine=swapper.name)
    return list(swapper.run(iter(clip), swapper.prepare(HOPPER.read_bytes(), fuse), fuse))


def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(planes_of(one), planes_of(two), strict=True))


def test_three_at_a_time_give_what_one_gives(alone, by_threes):
    expected, found = run(alone, CLIP), run(by_threes, CLIP)
    assert [frame.index for frame in found] == list(range(NUM_FRAMES))
    assert all(same(one.picture, two.picture) for one, two in zip(expected, found, strict=True))
    assert alone._network.sizes == [1] * NUM_FRAMES
    assert by_threes._network.sizes == [3, 3, 2]


def test_who_comes_together_shows_in_nobodys_pixels(alone, by_threes):
    """As on a GPU, where last bits depend on the number: passes are full, and chunks leave no trace."""
    by_threes._network.is_apart = False
    assert by_threes.models(FuseSpec(engine=by_threes.name))["crops in a pass"] == "3"
    whole = run(by_threes, CLIP)
    part = [
        Frame(picture=frame.picture, index=frame.index, pts=frame.pts, is_context=frame.index < 4)
        for frame in CLIP
    ]
    found = run(by_threes, part)
    assert set(by_threes._network.sizes) == {3}
    assert all(same(frame.picture, whole[frame.index].picture) for frame in found)
    assert "crops in a pass" not in alone.models(FuseSpec(engine=alone.name))
