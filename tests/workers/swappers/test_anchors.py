"""Colour transforms that hold for some frames: whose may serve whom, and that no chunk's border shows."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.messages import FuseSpec
from tests.workers.engine.crops import crops
from tests.workers.face.moving import HOPPER, frame_of, moving_picture
from tests.workers.swappers.test_portrait import chunk, paste, same
from workers.engine.fusion import FusionEngine
from workers.engine.ladder import Point
from workers.engine.opening import open_fusion
from workers.engine.reuse import BLOCK, Place, Reuse
from workers.face import tone
from workers.face.pyramid import Pyramid
from workers.face.track import RADIUS
from workers.frames import Face, Frame
from workers.media.pictures import planes_of
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.weights import load_fusion
from workers.swappers.anchors import LEAD, anchored
from workers.swappers.following import Sight
from workers.swappers.portrait import PortraitSwapper

CPU = torch.device("cpu")
FUSE = FuseSpec(engine="portrait")
NUM_FRAMES, CUT = 34, 22  # the cut lies within a block
THRESHOLD = 0.01  # in this clip some frames look as different as that, and most do not


class RememberingFinder(FaceFinder):
    """The real finder, which looks at a picture once, however many chunks it is in."""

    def __init__(self) -> None:
        super().__init__(CPU)
        self._found: dict[bytes, tuple[Face, ...]] = {}

    def find(self, picture: Pyramid) -> tuple[Face, ...]:
        key = picture.picture.tobytes()
        if key not in self._found:
            self._found[key] = super().find(picture)
        return self._found[key]


FINDER = RememberingFinder()


def swapper_with(threshold: float) -> PortraitSwapper:
    swapper = PortraitSwapper(fusion=FusionEngine(load_fusion(), CPU, reuse_threshold=threshold))
    swapper._analysers._own = swapper._finder = FINDER
    return swapper


@pytest.fixture(scope="module")
def clip() -> list[Frame]:
    """Return a head that moves, under a lamp that is turned up at times, and a cut to its mirror image.

    Ten bits a sample: a transform that is another frame's then shows, however near it is.
    """
    frames = []
    for index in range(NUM_FRAMES):
        picture = moving_picture(index) if index < CUT else moving_picture(index + 40)[:, ::-1]
        lit = np.clip(picture * (1.12 if index in {8, 9, 17, 18, 31} else 1.0), 0, 255).astype(np.uint8)
        frames.append(frame_of(np.ascontiguousarray(lit), index, "yuv444p10le"))
    return frames


@pytest.fixture(scope="module")
def holding():
    return swapper_with(THRESHOLD)


@pytest.fixture(scope="module")
def source(holding):
    return holding.prepare(HOPPER.read_bytes(), FUSE)


@pytest.fixture(scope="module")
def whole(holding, source, clip):
    return list(holding.run(iter(clip), source, FUSE))


def in_chunks(swapper, source, clip, edges) -> list[Frame]:
    parts: list[Frame] = []
    for start, end in itertools.pairwise(edges):
        parts += swapper.run(chunk(clip, start, end, swapper.radius), source, FUSE)
    return parts


def assert_same(parts: list[Frame], whole: list[Frame]) -> None:
    assert [frame.index for frame in parts] == [frame.index for frame in whole]
    assert [
        part.index for part, one in zip(parts, whole, strict=True) if not same(part.picture, one.picture)
    ] == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11])
def test_chunks_of_any_size_give_the_same_bits(holding, source, clip, whole, size):
    """Whatever the borders are to blocks, cuts and lamps."""
    assert_same(in_chunks(holding, source, clip, [*range(0, NUM_FRAMES, size), NUM_FRAMES]), whole)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(borders=st.sets(st.integers(1, NUM_FRAMES - 1), min_size=1, max_size=4))
def test_any_chunks_give_the_same_bits(holding, source, clip, whole, borders):
    assert_same(in_chunks(holding, source, clip, [0, *sorted(borders), NUM_FRAMES]), whole)


def test_transforms_hold_where_a_face_looks_alike_and_only_there(holding, source, clip, whole, monkeypatch):
    """The frames whose light is another are not served; blocks' first ones, and a shot's, have their own."""
    served = []
    lent = PortraitSwapper._lent

    def noting(self, asked, reuse):
        before = reuse.num_reused
        fused = lent(self, asked, reuse)
        served.append((asked.own.frame, reuse.num_reused > before))
        return fused

    monkeypatch.setattr(PortraitSwapper, "_lent", noting)
    assert_same(list(holding.run(iter(clip), source, FUSE)), whole)
    holds = {index for index, is_served in served if is_served}
    assert holds.isdisjoint({0, 5, 10, 15, 20, 25, 30, CUT} | {8, 9, 17, 18, 31})
    assert len(holds) > NUM_FRAMES / 2
    exact = list(swapper_with(0.0).run(iter(clip), source, FUSE))
    shown = {
        one.index for one, other in zip(whole, exact, strict=True) if not same(one.picture, other.picture)
    }
    assert shown  # else nothing here could tell a transform from another
    off = [
        np.abs(mine.astype(int) - theirs).max()
        for one, other in zip(whole, exact, strict=True)
        for mine, theirs in zip(planes_of(one.picture), planes_of(other.picture), strict=True)
    ]
    assert max(off) <= 4 * 2  # of 1023


def test_without_a_threshold_the_bits_are_those_of_before(source, clip):
    """At 0, and where nothing is ever alike enough, each frame gets what the network says of it alone."""
    plain, exact = swapper_with(0.0), swapper_with(1e-12)
    assert (plain.radius, exact.radius) == (RADIUS + tone.REACH, RADIUS + tone.REACH + LEAD)
    expected = list(plain.run(iter(clip[:12]), source, FUSE))
    assert_same(list(exact.run(iter(clip[:12]), source, FUSE)), expected)
    alone = PortraitSwapper(fusion=FusionEngine(load_fusion(), CPU).network)  # no engine: the network itself
    alone._analysers._own = alone._finder = FINDER
    assert_same(list(alone.run(iter(clip[:12]), source, FUSE)), expected)


def test_the_setting_is_off_by_default_and_known_to_plans(tmp_path, monkeypatch):
    """Workers that differ in it refuse each other's plans; crops then go one by one."""
    default = PortraitSwapper()
    path = tmp_path / "farm.yaml"
    monkeypatch.setenv("FARM_WORKER_SETTINGS", str(path))
    path.write_text("inference: {reuse_threshold: 0}")
    off = PortraitSwapper()
    assert (off.models(FUSE), off.radius) == (default.models(FUSE), default.radius)
    path.write_text("inference: {reuse_threshold: 0.02}")
    assert open_fusion(CPU).first.batch == 1
    held = PortraitSwapper()
    assert "fusion-lite, held below 0.02" in held.models(FUSE)
    assert held.radius == default.radius + BLOCK - 1


def test_classical_modes_hold_nothing(source, clip):
    """They ask no network: the same bits, with and without."""
    fuse = FuseSpec(engine="portrait", mode="overlay")
    one, other = (list(swapper_with(each).run(iter(clip[:3]), source, fuse)) for each in (0.0, 0.5))
    assert_same(one, other)


def face(x: float) -> Face:
    return Face(box=(x, 0.0, x + 40, 40.0), landmarks=np.zeros((5, 2), np.float32), score=1.0)


def sight(index: int, *xs: float, begins: bool = False, sources=None) -> Sight:
    people = tuple(face(x) for x in xs)
    frame = frame_of(np.zeros((8, 8, 3), np.uint8), index)
    return Sight(frame=frame, people=people, sources=sources or (0,) * len(xs), begins_shot=begins)


def anchors(*sights: Sight) -> list[tuple[Place | None, ...]]:
    return [frame.anchors for frame in anchored(sights)]


def test_an_anchor_is_the_same_person_in_the_first_frame_of_the_block():
    """People are found step by step: they may walk far, and somebody new has no anchor."""
    found = anchors(sight(4, 0), sight(5, 0, 100), sight(6, 15, 85), sight(7, 30, 70), sight(8, 30, 70, 300))
    assert found[0] == (None,)  # its block's first frame is not there
    assert found[1] == (Place(5, 0), Place(5, 1))
    assert found[3] == (Place(5, 0), Place(5, 1))
    assert found[4] == (Place(5, 0), Place(5, 1), None)


def test_nobody_has_an_anchor_beyond_a_cut():
    """A shot, or a picture, begins a block of its own, though the face lies where one lay before."""
    found = anchors(sight(5, 0), sight(6, 0), sight(7, 0, begins=True), sight(8, 0), sight(10, 0))
    assert found == [(Place(5, 0),)] * 2 + [(Place(7, 0),)] * 2 + [(Place(10, 0),)]


def test_another_source_is_another_face():
    found = anchors(sight(5, 0), sight(6, 0, sources=(1,)), sight(7, 0, sources=(1,)))
    assert found == [(Place(5, 0),), (None,), (None,)]


def test_an_anchor_is_kept_for_its_block_only():
    """Memory is one frame's faces, however long a video is."""
    engine = FusionEngine(load_fusion(), CPU, reuse_threshold=1.0)
    reuse, (x, mask, target) = Reuse(engine), (torch.rand(1, each, 64, 64) for each in (6, 1, 3))
    for index in (0, 5):
        for number in range(3):
            place = Place(index, number)
            reuse.fuse(x, mask, target, place, place)
    reuse.fuse(x, mask, target, Place(6, 0), Place(5, 2))
    reuse.fuse(x, mask, target, Place(6, 1), Place(0, 0))  # forgotten: it gets its own
    assert reuse.num_reused == 1
    assert set(reuse._anchors) == {Place(5, number) for number in range(3)}


def test_crops_in_tiles_are_held_as_well():
    """A crop larger than a tile is surveyed in strips: its own transforms give the bits of any other pass."""
    engine = FusionEngine(load_fusion(), CPU, first=Point(tile_px=256), reuse_threshold=1.0)
    reuse, (x, mask, target) = Reuse(engine), crops(1, 512)
    assert torch.equal(reuse.fuse(x, mask, target, Place(5, 0), Place(5, 0)), engine(x, mask, target))
    darker = reuse.fuse(0.9 * x, mask, target, Place(6, 0), Place(5, 0))
    assert reuse.num_reused == 1
    assert not torch.equal(darker, engine(0.9 * x, mask, target))


def test_a_plain_callable_is_not_asked_to_hold():
    assert PortraitSwapper(fusion=paste).radius == RADIUS + tone.REACH
