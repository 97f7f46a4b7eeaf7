"""Two swap networks in the memory of one, chunk by chunk, as a worker runs two jobs by turns."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from broker.messages import FuseSpec
from farm.modelstore.arrival import Introduction, add
from tests.workers.face.moving import HOPPER, BlinkingFinder, frame_of, moving_picture
from tests.workers.identity.tiny import recogniser, saved
from workers.engine.budget import this_residency
from workers.errors import BudgetTooSmall
from workers.media.pictures import planes_of
from workers.swappers import open_swapper

SIZE = 14000
WEIGHTS_BYTES = 512 * SIZE * 4
CLIP = [frame_of(moving_picture(i), i) for i in range(3)]


@pytest.fixture
def engines(store, tmp_path, monkeypatch):
    """Return what opens both engines within a budget, given in GB."""
    add(store, recogniser(tmp_path / "w600k_r50.onnx"), Introduction(name="r", contract="arcface"))
    for seed, name in enumerate(("one", "two")):
        heavy(tmp_path / f"{name}.onnx", seed)
        add(store, tmp_path / f"{name}.onnx", Introduction(name=name, contract="hyperswap"))

    def opened(limit_gb):
        monkeypatch.setenv("FARM_WORKER_GPU_MEMORY_LIMIT", limit_gb)
        this_residency.cache_clear()
        both = [open_swapper(name, store) for name in ("one", "two")]
        for swapper in both:
            swapper._finder = BlinkingFinder()
        return both

    yield opened
    this_residency.cache_clear()


def heavy(path, seed):
    """Write a network of 29 MB, which adds a colour that it computes from the source."""
    dice = np.random.default_rng(seed)
    weights = {
        "wide": dice.normal(0, 0.05, (512, SIZE)).astype(np.float32),
        "narrow": dice.normal(0, 0.02, (SIZE, 3)).astype(np.float32),
        "columns": np.array([1, 3, 1, 1], np.int64),
    }
    nodes = [
        helper.make_node("MatMul", ["source", "wide"], ["many"]),
        helper.make_node("MatMul", ["many", "narrow"], ["few"]),
        helper.make_node("Reshape", ["few", "columns"], ["shift"]),
        helper.make_node("Add", ["target", "shift"], ["output"]),
    ]
    inputs = {"target": [1, 3, 256, 256], "source": [1, 512]}
    return saved(path, nodes, inputs, {"output": [1, 3, 256, 256]}, weights)


def rendered(swapper):
    fuse = FuseSpec(engine=swapper.name)
    frames = swapper.run(iter(CLIP), swapper.prepare(HOPPER.read_bytes(), fuse), fuse)
    return [planes_of(frame.picture)[0].copy() for frame in frames]


def test_two_engines_take_turns_within_the_memory_of_one(engines):
    expected = [rendered(swapper) for swapper in engines("2")]
    both = engines(f"{1.9 * WEIGHTS_BYTES / 1e9:.4f}")
    residency = this_residency()
    for turn in (0, 1, 0, 1):
        assert np.array_equal(rendered(both[turn]), expected[turn])
        assert residency.resident_bytes <= residency.room_bytes
        assert {"one", "two"} & set(residency.resident) == {both[turn].name}
    assert "(away)" in str(residency) and "arrivals" in str(residency)


def test_what_does_not_fit_at_all_is_refused_by_the_budget_that_would_do(engines):
    with pytest.raises(BudgetTooSmall, match=r"what would do: 0\.0[3-9]"):
        engines("0.02")
