"""Swap networks on video frames: every face, nothing else, and no trace of chunks."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from broker.messages import FuseSpec
from tests.workers.face.moving import (
    COLLINS,
    HOPPER,
    BlinkingFinder,
    frame_of,
    moving_picture,
    picture_of,
    with_mark,
)
from tests.workers.identity.tiny import install
from workers.face.box_mask import box_mask
from workers.frames import Frame
from workers.media.pictures import planes_of
from workers.swappers import open_swapper
from workers.swappers.identity.boost import unweave, weave

NUM_FRAMES = 14


@pytest.fixture(scope="module")
def swapper(tmp_path_factory):
    from broker.installed import ModelStore

    directory = tmp_path_factory.mktemp("identity")
    store = ModelStore(directory / "models")
    swapper = open_swapper(install(store, directory, "inswapper", batch="any"), store)
    swapper._finder = BlinkingFinder()
    swapper.warm()
    return swapper


@pytest.fixture(scope="module")
def clip():
    pictures = [moving_picture(i) for i in range(NUM_FRAMES)]
    pictures[6] = with_mark(pictures[6])
    return [frame_of(picture, i) for i, picture in enumerate(pictures)]


def run(swapper, frames, *, boost=1):
    fuse = FuseSpec(engine=swapper.name, boost=boost)
    return list(swapper.run(iter(frames), swapper.prepare(HOPPER.read_bytes(), fuse), fuse))


def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(planes_of(one), planes_of(two), strict=True))


def test_every_frame_gets_the_face_and_keeps_the_rest(swapper, clip):
    found = run(swapper, clip)
    assert [(frame.index, frame.num_faces) for frame in found] == [(i, 1) for i in range(NUM_FRAMES)]
    for given, frame in zip(clip, found, strict=True):
        before, after = (planes_of(each.picture)[0].astype(int) for each in (given, frame))
        changed = np.argwhere(before != after)
        assert len(changed) > 1000
        height, width = np.ptp(changed, axis=0)
        assert max(height, width) < 200, "the frame's corners are its own"
        assert np.array_equal(before[:, :10], after[:, :10])


def test_chunks_leave_no_trace(swapper, clip):
    whole = run(swapper, clip)
    second = [
        Frame(picture=frame.picture, index=frame.index, pts=frame.pts, is_context=frame.index < 5)
        for frame in clip
    ]
    parts = run(swapper, second)
    assert [frame.index for frame in parts] == list(range(5, NUM_FRAMES))
    assert all(same(part.picture, whole[part.index].picture) for part in parts)


def test_boost_shows_the_network_more_of_the_face(swapper):
    """A network that keeps most of what it sees keeps more fine detail of a face larger than its crop."""
    picture = cv2.resize(picture_of(COLLINS), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    detail = []
    for boost in (1, 2, 4):
        frame = run(swapper, [frame_of(picture, 0)], boost=boost)[0]
        assert frame.num_faces == 1
        face = planes_of(frame.picture)[0][200:320, 400:520]
        detail.append(cv2.Laplacian(face, cv2.CV_32F).var())
    assert detail[0] < detail[1] < detail[2]


@pytest.mark.parametrize("times", [2, 4, 8])
def test_weaving_undoes_unweaving(times):
    crop = np.random.default_rng(0).random((32 * times, 32 * times, 3), np.float32)
    parts = unweave(crop, times)
    assert parts.shape == (times * times, 32, 32, 3)
    assert np.array_equal(parts[times + 1], crop[1::times, 1::times])
    assert np.array_equal(weave(parts, times), crop)


@pytest.mark.parametrize("side_px", [128, 256, 512])
def test_the_mask_ends_before_the_crop_does(side_px):
    mask = box_mask(side_px)
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0
    assert mask[side_px // 2, side_px // 2] == 1
    assert np.array_equal(mask, mask[::-1]) and np.array_equal(mask, mask.T)


def test_without_the_extra_a_worker_starts_and_says_what_is_missing(tmp_path):
    """No onnxruntime: own engines work, an installed network is refused with the command that helps."""
    from broker.installed import ModelStore

    store = ModelStore(tmp_path / "models")
    name = install(store, tmp_path, "inswapper")
    code = (
        "import sys; sys.modules.update(onnxruntime=None, onnx=None, insightface=None)\n"
        "import workers.worker\n"
        "from workers.swappers import open_swapper\n"
        "open_swapper('passthrough'); open_swapper('portrait')\n"
        "from workers.errors import PackageMissing\n"
        f"try: open_swapper({name!r})\n"
        "except PackageMissing as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"FARM_MODELS": str(store.directory), "OMP_NUM_THREADS": "1", "PATH": ""},
    )
    assert "pip install 'face-fusion-farm[worker,models]'" in done.stdout
