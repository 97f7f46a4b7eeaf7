"""Installed analysers: found by name, run through insightface, looking only where they are shown to."""

from __future__ import annotations

import numpy as np
import pytest

from broker.messages import FuseSpec
from farm.modelstore.arrival import Introduction, add
from tests.workers.face.moving import COLLINS, HOPPER, picture_of
from tests.workers.identity.detector import bright_spot_detector
from tests.workers.identity.tiny import install, recogniser, swap_network
from workers.analysers.opening import Analysers
from workers.analysers.recogniser import Recogniser, unit
from workers.analysers.scrfd import ScrfdFinder, input_size
from workers.errors import ModelMissing, ModelUnusable
from workers.face.pyramid import Pyramid
from workers.models.mtcnn_cascade import FaceFinder
from workers.models.onnx_session import OnnxNetwork
from workers.swappers import open_swapper


def bright_spot(x, y, *, width=640, height=640):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[y : y + 32, x : x + 32] = 255
    return picture


def test_scrfd_faces_lie_in_the_pictures_own_pixels(tmp_path):
    finder = ScrfdFinder(bright_spot_detector(tmp_path / "det.onnx"))
    (face,) = finder.find(Pyramid(bright_spot(320, 192)))
    assert face.box == pytest.approx((320 - 64, 192 - 64, 320 + 64, 192 + 64), abs=1)
    assert np.allclose(face.landmarks[2], (320, 192 + 3.2), atol=1)
    (large,) = finder.find(Pyramid(bright_spot(320, 192).repeat(2, 0).repeat(2, 1)))
    assert large.box == pytest.approx(tuple(2 * value for value in face.box), abs=3)


def test_a_face_that_is_not_where_it_should_be_scores_nothing(tmp_path):
    finder = ScrfdFinder(bright_spot_detector(tmp_path / "det.onnx"))
    marks = np.array([[300, 300], [340, 300], [320, 320], [305, 340], [335, 340]], np.float32)
    assert finder.look_at(Pyramid(np.zeros((640, 640, 3), np.uint8)), marks).score == 0
    beyond = marks + np.float32(5000)
    assert finder.look_at(Pyramid(np.zeros((640, 640, 3), np.uint8)), beyond).score == 0


@pytest.mark.parametrize(
    ("size", "wanted"), [((1280, 720), (640, 384)), ((720, 1280), (384, 640)), ((500, 500), (640, 640))]
)
def test_the_searched_size_follows_the_picture(size, wanted):
    assert input_size(*size) == wanted


def test_analysers_are_found_by_name_and_named_when_missing(store, tmp_path):
    add(
        store,
        bright_spot_detector(tmp_path / "scrfd_tiny.onnx"),
        Introduction(name="tiny", contract="insightface"),
    )
    own = FaceFinder()
    analysers = Analysers(own, store)
    assert analysers.finder("mtcnn") is own and analysers.digests("mtcnn") == {}
    assert isinstance(analysers.finder("tiny"), ScrfdFinder)
    assert analysers.finder("tiny") is analysers.finder("tiny")
    assert analysers.digests("tiny") == {"tiny": store.models()["tiny"].digest}
    with pytest.raises(ModelMissing, match="farm models pull buffalo_l"):
        analysers.finder("buffalo_l")


def test_a_network_that_is_no_detector_is_refused(tmp_path):
    with pytest.raises(ModelUnusable, match="no SCRFD detector"):
        ScrfdFinder(recogniser(tmp_path / "w600k_r50.onnx"))
    with pytest.raises(ModelUnusable, match="no recogniser"):
        Recogniser(OnnxNetwork(swap_network(tmp_path / "swap.onnx", "inswapper")))


def test_both_engines_use_the_analyser_that_a_job_asks_for(store, tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_MODELS", str(store.directory))
    path = bright_spot_detector(tmp_path / "scrfd_tiny.onnx")
    add(store, path, Introduction(name="tiny", contract="insightface"))
    import cv2

    spot = cv2.imencode(".png", bright_spot(320, 192))[1].tobytes()
    for name in ("portrait", install(store, tmp_path, "inswapper")):
        fuse = FuseSpec(engine=name, analyser="tiny")
        swapper = open_swapper(name)
        assert len(swapper.prepare(spot, fuse).faces) == 1
        assert swapper.models(fuse)["tiny"] == store.models()["tiny"].digest
        assert "tiny" not in swapper.models(FuseSpec(engine=name))


def test_embeddings_depend_on_the_face_and_not_on_its_size(tmp_path):
    """A network of random weights already tells two pictures apart, and not one picture from its double."""
    tell = Recogniser(OnnxNetwork(recogniser(tmp_path / "w600k_r50.onnx")))
    finder, told = FaceFinder(), []
    for path in (COLLINS, HOPPER):
        picture = picture_of(path)
        marks = finder.find(Pyramid(picture))[0].landmarks
        double = picture.repeat(2, 0).repeat(2, 1)
        one, same = (unit(tell.embed(view, at)) for view, at in ((picture, marks), (double, marks * 2 + 0.5)))
        assert one @ same > 0.98
        told.append(one)
    assert told[0] @ told[1] < 0.9
