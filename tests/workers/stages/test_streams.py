"""Stages after an engine, on a stream of frames: faces restored where they were fused, in any chunks."""

from __future__ import annotations

import numpy as np
import pytest

from broker.installed import ModelStore
from broker.messages import FuseSpec
from tests.workers.face.moving import HOPPER, BlinkingFinder, frame_of, moving_picture
from tests.workers.identity import tiny as swap_tiny
from tests.workers.stages import tiny
from workers.frames import Frame
from workers.media.pictures import planes_of
from workers.stages.running import Stages
from workers.swappers import open_swapper

NUM_FRAMES = 9


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    directory = tmp_path_factory.mktemp("stages")
    store = ModelStore(directory / "models")
    swap_tiny.install(store, directory, "inswapper")
    tiny.install(store, directory, "gfpgan")
    tiny.install(store, directory, "esrgan-x2", blur=True)
    return store


@pytest.fixture(scope="module")
def run(store):
    swapper = open_swapper("tiny-inswapper", store)
    swapper._finder = BlinkingFinder()

    def rendered(frames, **asked):
        fuse = FuseSpec(engine=swapper.name, **asked)
        fused = swapper.run(iter(frames), swapper.prepare(HOPPER.read_bytes(), fuse), fuse)
        return list(Stages(store).run(fused, fuse))

    return rendered


def clip():
    return [frame_of(moving_picture(i), i) for i in range(NUM_FRAMES)]


def planes(frame):
    return [plane.astype(int) for plane in planes_of(frame.picture)]


def test_chunks_leave_no_trace_of_stages(run):
    asked = {"restore": "tiny-gfpgan", "upscale": "tiny-esrgan-x2"}
    whole = run(clip(), **asked)
    assert [(f.index, f.num_faces, f.picture.width) for f in whole] == [
        (i, 1, 512) for i in range(NUM_FRAMES)
    ]
    late = [Frame(picture=f.picture, index=f.index, pts=f.pts, is_context=f.index < 5) for f in clip()]
    parts = run(late, **asked)
    assert [part.index for part in parts] == list(range(5, NUM_FRAMES))
    for part in parts:
        assert all(np.array_equal(a, b) for a, b in zip(planes(part), planes(whole[part.index]), strict=True))


def test_a_face_is_restored_where_it_was_fused_and_follows_it(run):
    """The middle of what changed lies in the fused face's, frame for frame."""
    frames = clip()
    plain, restored = run(frames), run(frames, restore="tiny-gfpgan")
    for given, fused, done in zip(frames, plain, restored, strict=True):
        [marks] = done.faces
        changed = np.argwhere(planes(done)[0] != planes(fused)[0])
        assert len(changed) > 1000
        assert np.abs(changed.mean(axis=0)[::-1] - marks.mean(axis=0)).max() < 12
        assert (planes(fused)[0] != planes(given)[0]).any()


def test_a_frame_with_no_face_fused_is_only_enlarged(run):
    blank = [frame_of(np.full((256, 256, 3), 90, np.uint8), i) for i in range(3)]
    for frame in run(blank, restore="tiny-gfpgan", upscale="tiny-esrgan-x2"):
        assert frame.num_faces == 0 and frame.picture.width == 512
