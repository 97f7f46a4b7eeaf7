"""Outlines from installed landmark networks: the package's own numbers, and masks that follow them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from insightface.app.common import Face as PackageFace
from insightface.model_zoo.landmark import Landmark

from broker.installed import ModelStore
from broker.messages import FuseSpec
from farm.modelstore.arrival import Introduction, add
from tests.workers.face.moving import COLLINS, HOPPER, frame_of, moving_picture, picture_of
from tests.workers.identity.tiny import drawn_face, install, landmarker, recogniser
from workers.errors import ModelUnusable
from workers.face.align import ARCFACE_112
from workers.face.outline import outline_of
from workers.face.pyramid import Pyramid
from workers.frames import Face, Frame
from workers.masking.landmarker import Landmarker
from workers.masking.masks import Masks, outline_mask
from workers.masking.opening import MaskMaker
from workers.media.pictures import planes_of
from workers.media.planes import Canvas
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.onnx_session import OnnxNetwork
from workers.swappers import open_swapper

#: A face, one that is larger than its square and reaches out of the picture, and one that lies outside.
BOXES = [(150.3, 80.7, 301.2, 290.9), (-60.0, 200.0, 380.5, 700.0), (900.0, 900.0, 960.0, 980.0)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_MODELS", str(tmp_path / "models"))
    return ModelStore(tmp_path / "models")


def reader(picture):
    """Return what reads a part of a whole picture."""

    def read(roi):
        x0, y0, x1, y1 = (max(0, value) for value in roi)
        return picture[y0:y1, x0:x1], (x0, y0)

    return read


@pytest.mark.parametrize("scales", [False, True])
@pytest.mark.parametrize("batch", [1, "None"])
@pytest.mark.parametrize(("num", "dims"), [(106, 2), (68, 3)])
def test_landmarks_are_those_of_the_insightface_package(tmp_path, num, dims, batch, scales):
    path = landmarker(tmp_path / "landmarks.onnx", num, batch=batch, scales=scales)
    picture, judge = picture_of(COLLINS), Landmark(model_file=str(path))
    found = Landmarker(OnnxNetwork(path)).find(reader(picture), BOXES)
    for box, points in zip(BOXES, found, strict=True):
        wanted = judge.get(np.ascontiguousarray(picture[..., ::-1]), PackageFace(bbox=np.array(box)))
        assert points.shape == wanted.shape == (num, dims)
        assert np.abs(points - wanted).max() < 1e-4
    assert not np.allclose(found[0] - found[0].mean(axis=0), found[1] - found[1].mean(axis=0))


def test_faces_together_get_what_each_gets_alone(tmp_path):
    network = Landmarker(OnnxNetwork(landmarker(tmp_path / "many.onnx")))
    assert network._takes_many
    read = reader(picture_of(HOPPER))
    together = network.find(read, BOXES)
    assert all(
        np.array_equal(network.find(read, [box])[0], one) for box, one in zip(BOXES, together, strict=True)
    )
    assert network.find(read, []) == []


def test_what_finds_no_landmarks_is_refused(tmp_path):
    with pytest.raises(ModelUnusable, match="finds no landmarks"):
        Landmarker(OnnxNetwork(recogniser(tmp_path / "2d106det.onnx")))


@pytest.mark.parametrize("num", [106, 68])
def test_an_outline_holds_every_landmark_and_some_of_the_forehead(num):
    face = drawn_face(num) * 100 + 200
    outline = outline_of(face)
    assert all(cv2.pointPolygonTest(outline, (float(x), float(y)), True) > -1e-3 for x, y in face)
    # Brows lie at -0.31 of the square's half, eyes at -0.11: half of that way above the brows is -0.41.
    assert outline[:, 1].min() == pytest.approx(200 - 41, abs=0.5)
    assert cv2.isContourConvex(outline)


def test_landmarks_that_outline_nothing_are_known_as_such():
    assert outline_of(np.full((106, 2), np.nan, np.float32)) is None
    assert outline_of(np.full((68, 2), 5, np.float32)) is None


def test_106_landmarks_are_preferred_and_the_note_says_what_is_used(store, tmp_path):
    fuse = FuseSpec(engine="portrait", mask=("hull",))
    maker = MaskMaker(store)
    assert "five landmarks" in maker.notes(fuse)[0] and "farm models pull" in maker.notes(fuse)[0]
    assert maker.digests(fuse) == {} and maker.networks(fuse) == ()
    for name, num in (("1k3d68", 68), ("2d106det", 106)):
        path = landmarker(tmp_path / name / f"{name}.onnx", num)
        add(store, path, Introduction(name=f"own-{num}", contract="insightface"))
        maker = MaskMaker(store)
        assert maker.notes(fuse) == (f"outlines are told by {num} landmarks, of {name}.onnx in own-{num}",)
        assert maker.digests(fuse) == {f"own-{num}": store.models()[f"own-{num}"].digest}
    nothing = FuseSpec(engine="portrait", mask=("box",))
    assert maker.notes(nothing) == () and maker.digests(nothing) == {}
    assert maker.outliner(nothing).landmarker is None


def test_a_spoiled_landmark_network_is_refused(store, tmp_path):
    path = landmarker(tmp_path / "2d106det.onnx")
    add(store, path, Introduction(name="own", contract="insightface"))
    (store.directory / "own" / path.name).write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelUnusable, match="farm models verify"):
        MaskMaker(store).outliner(FuseSpec(engine="portrait", mask=("hull",)))


def test_the_mask_follows_the_landmarks_and_not_the_coarse_head(store, tmp_path):
    add(store, landmarker(tmp_path / "2d106det.onnx"), Introduction(name="own", contract="insightface"))
    frame = frame_of(picture_of(COLLINS), 0)
    (face,) = FaceFinder().find(Pyramid(picture_of(COLLINS)))
    (outline,) = (
        MaskMaker(store)
        .outliner(FuseSpec(engine="x", mask=("hull",)))
        .outlines(Canvas(frame.picture), [face])
    )
    mask, coarse = outline_mask(face.landmarks, 512, outline), outline_mask(face.landmarks, 512)
    inside = cv2.fillConvexPoly(np.zeros((512, 512), np.uint8), np.rint(outline).astype(int), 1) > 0
    assert not mask[~cv2.dilate(inside.astype(np.uint8), np.ones((13, 13))).astype(bool)].any()
    assert (mask > 0.5).sum() > inside.sum() / 2
    assert np.abs(mask - coarse).max() > 0.9


def test_an_outline_larger_than_its_crop_ends_softly_with_that():
    wide = np.array([[-50, -50], [200, -50], [200, 200], [-50, 200]], np.float32)
    marks = np.asarray(ARCFACE_112 * (128 / 112), np.float32)
    mask = Masks(has_hull=True).before(np.zeros((128, 128, 3), np.float32), marks, wide)
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0
    assert (mask[8:-8, 8:-8] > 0.99).all()


@pytest.mark.parametrize("engine", ["portrait", "inswapper"])
def test_engines_change_no_more_than_the_outline_and_show_no_chunk(store, tmp_path, engine):
    add(store, landmarker(tmp_path / "2d106det.onnx"), Introduction(name="own", contract="insightface"))
    name = engine if engine == "portrait" else install(store, tmp_path, engine)
    swapper = open_swapper(name)
    fuse = FuseSpec(engine=name, mask=("hull",))
    source = swapper.prepare(HOPPER.read_bytes(), fuse)
    assert "106 landmarks" in swapper.notes(fuse)[0]
    assert swapper.models(fuse)["own"] == store.models()["own"].digest
    assert swapper.provider(fuse) == "cpu"
    clip = [frame_of(moving_picture(i), i) for i in range(8)]
    whole = list(swapper.run(iter(clip), source, fuse))
    outliner = MaskMaker(store).outliner(fuse)
    for given, after in zip(clip, whole, strict=True):
        before, now = (planes_of(each.picture)[0] for each in (given, after))
        low, high = bounds(outliner, given, after)
        changed = np.argwhere(before != now)[:, ::-1]
        assert len(changed) > 500
        assert (changed.min(axis=0) > low - 3).all() and (changed.max(axis=0) < high + 3).all()
    later = [Frame(picture=f.picture, index=f.index, pts=f.pts, is_context=f.index < 3) for f in clip]
    for part in swapper.run(iter(later), source, fuse):
        planes = zip(planes_of(part.picture), planes_of(whole[part.index].picture), strict=True)
        assert all(np.array_equal(a, b) for a, b in planes)


def bounds(outliner, given, after):
    """Return where the outline of the frame's only face begins and ends: as this test finds it."""
    (landmarks,), (told,) = after.faces, after.outlines
    faces = FaceFinder().find(Pyramid(given.picture.to_ndarray(format="rgb24")))
    nearest = min(faces, key=lambda face: float(np.abs(face.landmarks - landmarks).sum()))
    (outline,) = outliner.outlines(
        Canvas(given.picture), [Face(box=nearest.box, landmarks=landmarks, score=1)]
    )
    # That one found it by the tracker's smoothed box, and this by the detector's own.
    assert np.abs(told.min(axis=0) - outline.min(axis=0)).max() < 6
    return outline.min(axis=0), outline.max(axis=0)
