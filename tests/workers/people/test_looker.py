"""Who looks for people keeps within the worker's memory: everything for a chunk together, or a refusal."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from broker.installed import ModelStore
from broker.messages import CAST, FuseSpec
from farm.modelstore.arrival import Introduction, add
from tests.workers.face.moving import frame_of
from tests.workers.identity.detector import bright_spot_detector
from tests.workers.identity.tiny import saved
from workers.engine.budget import this_residency
from workers.engine.sessions import open_network
from workers.errors import BudgetTooSmall
from workers.people.looker import Looker

#: A network that has nothing to do with looking takes 63 MB, and the recogniser half as much again: large
#: beside what the first session of a process brings.
ROWS = 14000
HEAVY_BYTES = ROWS * 1125 * 4


@pytest.fixture
def store(tmp_path):
    store = ModelStore(tmp_path / "models")
    add(store, bright_spot_detector(tmp_path / "scrfd.onnx"), Introduction(name="d", contract="insightface"))
    add(store, heavy_recogniser(tmp_path / "w600k_r50.onnx"), Introduction(name="r", contract="arcface"))
    return store


@pytest.fixture
def budget(monkeypatch):
    """Return what gives the worker a budget, in shares of one heavy network."""

    def given(share):
        monkeypatch.setenv("FARM_WORKER_GPU_MEMORY_LIMIT", f"{share * HEAVY_BYTES / 1e9:.4f}")
        this_residency.cache_clear()
        return this_residency()

    yield given
    this_residency.cache_clear()


def heavy_recogniser(path):
    dice = np.random.default_rng(0)
    weights = {
        "look": dice.normal(0, 0.1, (1125, 3, 1, 1)).astype(np.float32),
        "wide": dice.normal(0, 0.02, (1125, ROWS)).astype(np.float32),
        "narrow": dice.normal(0, 0.02, (ROWS, 512)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["input.1", "look"], ["seen"], strides=[112, 112]),
        helper.make_node("Flatten", ["seen"], ["flat"]),
        helper.make_node("MatMul", ["flat", "wide"], ["many"]),
        helper.make_node("MatMul", ["many", "narrow"], ["683"]),
    ]
    return saved(path, nodes, {"input.1": [1, 3, 112, 112]}, {"683": [1, 512]}, weights)


def heavy(path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    weights = {"w": np.random.default_rng(1).standard_normal((1125, ROWS), np.float32)}
    return saved(path, nodes, {"x": ["N", 1125]}, {"y": ["N", ROWS]}, weights)


def spots(num_frames):
    """Yield frames with a bright spot, which the detector takes for a face."""
    for number in range(num_frames):
        picture = np.zeros((640, 640, 3), np.uint8)
        picture[192:224, 320:352] = 255
        yield frame_of(picture, number)


def test_looking_keeps_its_networks_and_others_leave(store, tmp_path, budget):
    """While a chunk is looked at nothing else comes in their place; afterwards they may leave."""
    fuse = FuseSpec(engine="passthrough", faces=CAST, analyser="d")
    budget(10)
    expected = Looker(store).look(range(3), spots(3), fuse)
    assert len(expected.tracklets) == 1 and expected.tracklets[0].embeddings

    residency = budget(2.6)
    other = open_network(heavy(tmp_path / "other.onnx"))
    assert other.is_open
    looker, during = Looker(store), []

    def note(num_faces):
        during.append((num_faces, residency.resident, residency.resident_bytes))

    assert looker.look(range(3), spots(3), fuse, note) == expected
    assert not other.is_open
    for num_faces, resident, resident_bytes in during:
        assert num_faces == 1
        assert {"mtcnn", "scrfd", "w600k_r50"} <= set(resident)
        assert resident_bytes <= residency.room_bytes
    other.run({"x": np.zeros((1, 1125), np.float32)})
    assert "w600k_r50" not in residency.resident
    assert looker.look(range(3), spots(3), fuse) == expected


def test_what_does_not_fit_together_is_refused(store, budget):
    fuse = FuseSpec(engine="passthrough", faces=CAST, analyser="d")
    budget(0.9)
    with pytest.raises(BudgetTooSmall, match="what would do"):
        Looker(store).look(range(1), spots(1), fuse)


def test_the_detector_counts_once_however_many_use_it(store, budget):
    residency = budget(10)
    Looker(store), Looker(store)
    assert [name for name in residency.resident if name.startswith("mtcnn")] == ["mtcnn"]
