"""A farm with an identity pack installed: its landmarks shape masks, and its recogniser tells who is who."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from bench.clips import SOURCE
from bench.farm_process import running_farm
from broker.installed import ModelStore
from farm.modelstore.arrival import Introduction, add
from tests.workers.face.moving import COLLINS, picture_of
from tests.workers.identity.tiny import landmarker, recogniser

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_ffmpeg]

NOTE = "outlines are told by 106 landmarks, of 2d106det.onnx in pack"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A pack like buffalo_l's, of tiny networks with its files' names and shapes."""
    directory = tmp_path_factory.mktemp("packs")
    store = ModelStore(directory / "models")
    landmarker(directory / "pack" / "2d106det.onnx")
    recogniser(directory / "pack" / "w600k_r50.onnx")
    add(store, directory / "pack", Introduction(name="pack", contract="insightface"))
    return store


@pytest.fixture(scope="module")
def farm(tmp_path_factory, store):
    home = tmp_path_factory.mktemp("farm")
    with running_farm(home, "--workers", "2", timeout_s=120, FARM_MODELS=str(store.directory)) as running:
        yield running


def frames(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_outlines_follow_the_packs_landmarks_whatever_the_chunks(farm, store, portrait_video, tmp_path):
    found = []
    for seconds in ("60", "0.5"):
        output = tmp_path / f"{seconds}.mov"
        told = farm.render(
            *(str(portrait_video), "-s", str(SOURCE), "--lossless", "--mask", "hull", "-o", str(output)),
            *("--chunk-seconds", seconds),
        )
        assert NOTE in told["notes"]
        assert told["models"]["pack"] == store.models()["pack"].digest
        found.append((told["chunks"], frames(output)))
    assert found[0][0] < found[1][0]
    assert all(map(np.array_equal, found[0][1], found[1][1]))
    before = frames(portrait_video)
    assert all((now != then).any() for now, then in zip(found[0][1], before, strict=True))


def test_a_preview_shows_the_outline_and_says_what_told_it(farm, tmp_path):
    """The tint ends where the drawn face does: below its lifted brows, and nowhere near the picture's rim."""
    cv2.imwrite(str(tmp_path / "in.png"), np.ascontiguousarray(picture_of(COLLINS)[..., ::-1]))
    answer = farm.command(
        *("preview", str(tmp_path / "in.png"), "-s", str(SOURCE), "--mask", "hull", "--show-mask"),
        *("-o", str(tmp_path / "mask.png")),
    )
    assert f"note: {NOTE}" in answer.stderr
    pair = cv2.imread(str(tmp_path / "mask.png")).astype(int)
    left, right = pair[:, : pair.shape[1] // 2], pair[:, -(pair.shape[1] // 2) :]
    tinted = (right[..., 1] - right[..., 2]) - (left[..., 1] - left[..., 2]) > 30
    assert 0.02 < tinted.mean() < 0.3
    assert not tinted[:10].any() and not tinted[-10:].any()
