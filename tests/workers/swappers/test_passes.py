"""Crops of several frames and faces go through a network together, and nobody can tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.messages import FuseSpec
from tests.workers.engine.crops import network
from tests.workers.face.moving import HOPPER, frame_of, moving_picture, picture_of
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.face.align import template
from workers.face.fuse import Likeness, fuse_faces
from workers.face.patch import Patch
from workers.face.pyramid import Pyramid
from workers.media.pictures import planes_of
from workers.media.planes import Canvas
from workers.swappers.passes import Passes
from workers.swappers.portrait import PortraitSwapper

SPEC = FuseSpec(engine="portrait")
NUM_FRAMES = 7


class Recorder:
    """Doubles numbers, and notes what came together; a number's kind is whether it is large."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []

    def __call__(self, crops: list[int]) -> list[int]:
        self.passes.append(crops)
        return [2 * crop for crop in crops]

    def of(self, size: int) -> Passes[int, int]:
        return Passes(self, size=size, kind_of=lambda crop: crop >= 100)


def asking(*rounds: list[int]):
    """Ask for the crops of each round, and return what they became."""
    found = []
    for crops in rounds:
        found += yield crops
    return found


def test_passes_are_filled_from_several_frames():
    run = Recorder()
    works = (asking([index]) for index in range(8))
    assert list(run.of(4).through(works)) == [[2 * index] for index in range(8)]
    assert run.passes == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_kinds_do_not_mix_and_the_order_is_kept():
    """A pair in every frame: each kind fills passes of its own, no later than the other."""
    run = Recorder()
    works = (asking([index, 100 + index]) for index in range(4))
    assert list(run.of(4).through(works)) == [[2 * index, 200 + 2 * index] for index in range(4)]
    assert run.passes == [[0, 1, 2, 3], [100, 101, 102, 103]]


def test_what_must_wait_for_its_own_frame_is_asked_for_later():
    """A frame may ask several times, for nothing at times, or never: its passes fill up all the same."""
    run = Recorder()
    works = [asking([1], [2]), asking(), asking([3], [], [4]), asking([5])]
    assert list(run.of(3).through(iter(works))) == [[2, 4], [], [6, 8], [10]]
    assert run.passes == [[1, 3], [2, 4], [5]]


@pytest.mark.parametrize("size", [1, 3, 8])
def test_few_frames_are_under_way(size):
    """A frame waits for size - 1 others at most, whatever they hold."""
    taken = 0

    def endless() -> Iterator:
        nonlocal taken
        for index in itertools.count():
            taken += 1
            yield asking([index]) if index % 2 else asking()

    stream = Recorder().of(size).through(endless())
    for number in range(12):
        next(stream)
        assert taken <= number + size


def test_an_error_ends_the_stream():
    def fail(_crops):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(Passes(fail, size=2, kind_of=bool).through([asking([1]), asking([2])]))


def landmarks(x: float, y: float, size: float) -> np.ndarray:
    """Return an upright face's landmarks around (x, y); `size` 1 fills a crop of 128 pixels."""
    return np.asarray((template(128) - 64) * size + [x, y], np.float32)


#: Up to three faces in a picture of 256 pixels: apart, over one another, large and small, one too small.
faces = st.lists(
    st.builds(
        landmarks,
        st.sampled_from([70, 128, 190]),
        st.sampled_from([80, 170]),
        st.sampled_from([0.1, 0.6, 1.6]),
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def swapper() -> PortraitSwapper:
    return PortraitSwapper()


@pytest.fixture(scope="module")
def likeness(swapper) -> Likeness:
    finder = swapper._finder
    picture = picture_of(HOPPER)
    return Likeness.of(picture, finder.find(Pyramid(picture))[0].landmarks)


@pytest.fixture(scope="module")
def frames():
    return [frame_of(moving_picture(3 * index), index, "yuv420p") for index in range(NUM_FRAMES)]


def paste(x: torch.Tensor, mask: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return mask * x[:, 3:] + (1 - mask) * target


@pytest.fixture
def fused(swapper, likeness, monkeypatch):
    """Return what gives every frame's patches; `fusion` gets up to `size` crops."""

    def fused(frames, seen, fusion, size: int) -> list[list[Patch]]:
        monkeypatch.setattr(swapper, "_fusion", fusion)
        return _fused(swapper, likeness, frames, seen, size)

    return fused


def _fused(swapper, likeness, frames, seen, size) -> list[list[Patch]]:
    passes = Passes(swapper._fuse, size=size, kind_of=lambda crop: crop.side_px)
    works = (
        fuse_faces(Canvas(frame.picture), marks, [likeness] * len(marks), SPEC)
        for frame, marks in zip(frames, seen, strict=True)
    )
    return list(passes.through(works))


def assert_same(found: list[list[Patch]], expected: list[list[Patch]]) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert np.array_equal(one.fused, other.fused)
            assert np.array_equal(one.tone, other.tone)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seen=st.lists(faces, min_size=NUM_FRAMES, max_size=NUM_FRAMES),
    borders=st.sets(st.integers(1, NUM_FRAMES - 1), max_size=3),
    size=st.integers(1, 5),
)
def test_company_and_chunks_leave_no_trace(fused, frames, seen, borders, size):
    """Any faces, any cuts, any size of a pass: the same bits; and those of a crop alone, but for the last."""
    engine = FusionEngine(network(), torch.device("cpu"), first=Point(batch=size))
    whole = fused(frames, seen, engine, size)
    edges = [0, *sorted(borders), NUM_FRAMES]
    for start, end in itertools.pairwise(edges):
        part = fused(frames[start:end], seen[start:end], engine, size)
        assert_same(part, whole[start:end])
    alone = fused(frames, seen, FusionEngine(network(), torch.device("cpu")), 1)
    for mine, theirs in zip(whole, alone, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(one.fused, other.fused, atol=1e-4)
    assert_same(*(fused(frames, seen, paste, each) for each in (size, 1)))


def test_faces_over_one_another_see_each_other(fused, frames):
    """Two that are apart are asked for together; one over them is cut out of a picture that they are in."""
    asked: list[int] = []

    def counting(x, mask, target):
        asked.append(len(x))
        return paste(x, mask, target)

    near = [landmarks(70, 80, 0.6), landmarks(190, 170, 0.6), landmarks(80, 90, 0.6)]
    (patches,) = fused(frames[:1], [near], counting, 4)
    assert asked == [2, 1]
    (alone,) = fused(frames[:1], [near[2:]], counting, 4)
    canvas = Canvas(frames[0].picture)
    for patch in patches[:2]:
        patch.put(canvas, ratio=1.0)
    (seeing,) = fused([type(frames[0])(picture=canvas.picture, index=0, pts=0)], [near[2:]], paste, 4)
    assert np.array_equal(patches[2].fused, seeing[0].fused)
    assert not np.array_equal(patches[2].fused, alone[0].fused)
    assert (
        planes_of(frames[0].picture)[0].tobytes()
        == planes_of(frame_of(moving_picture(0), 0).picture)[0].tobytes()
    )
