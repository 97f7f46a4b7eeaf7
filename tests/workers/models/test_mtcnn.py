"""The detector finds the faces that people see, and says the same however it is asked."""

import hashlib

import cv2
import numpy as np
import pytest
import torch

from tests.workers.face.moving import COLLINS, HOPPER, moving_picture, picture_of
from workers.errors import WeightsRejected
from workers.face.align import apply
from workers.face.pyramid import Pyramid
from workers.models import mtcnn_weights
from workers.models.mtcnn import Mtcnn
from workers.models.mtcnn_cascade import FaceFinder, distinct, scales


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.mark.parametrize(
    ("path", "landmarks"),
    [
        (COLLINS, [[204, 102], [246, 103], [224, 128], [202, 139], [245, 141]]),
        (HOPPER, [[221, 192], [307, 187], [269, 237], [231, 277], [306, 273]]),
    ],
)
def test_portrait_has_one_face(finder, path, landmarks):
    """Both portraits give one face, none in the hair, with landmarks where the eyes, nose and mouth are."""
    faces = finder.find(Pyramid(picture_of(path)))
    assert len(faces) == 1
    assert faces[0].score > 0.95
    np.testing.assert_allclose(faces[0].landmarks, landmarks, atol=4)
    x0, y0, x1, y1 = faces[0].box
    assert all(x0 < x < x1 and y0 < y < y1 for x, y in faces[0].landmarks)


def test_two_faces_come_best_first(finder):
    """Two people in a picture are two faces, the surer one first."""
    left, right = picture_of(COLLINS)[:400], picture_of(HOPPER)[:400]
    faces = finder.find(Pyramid(np.hstack([left, right])))
    assert len(faces) == 2
    assert faces[0].score >= faces[1].score
    assert sorted(face.box[0] > left.shape[1] for face in faces) == [False, True]


def test_no_face_in_noise_or_flat(finder):
    """Noise, a flat picture and one smaller than a face hold none."""
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    assert finder.find(Pyramid(noise)) == ()
    assert finder.find(Pyramid(np.zeros((90, 160, 3), np.uint8))) == ()
    assert finder.find(Pyramid(np.zeros((8, 8, 3), np.uint8))) == ()


def test_answer_does_not_depend_on_company(finder):
    """The same picture gives the same bits, whatever was looked at before and by whichever instance."""
    pictures = [moving_picture(i) for i in (0, 3, 6)]
    forwards = [finder.find(Pyramid(picture))[0] for picture in pictures]
    other = FaceFinder()
    backwards = [other.find(Pyramid(picture))[0] for picture in reversed(pictures)][::-1]
    for one, two in zip(forwards, backwards, strict=True):
        assert (one.box, one.score) == (two.box, two.score)
        assert np.array_equal(one.landmarks, two.landmarks)


def test_landmarks_follow_the_picture(finder):
    """Landmarks of a turned, scaled picture are the turned, scaled landmarks, to two percent of the face."""
    picture = picture_of(COLLINS)
    plain = finder.find(Pyramid(picture))[0].landmarks
    matrix = cv2.getRotationMatrix2D((256, 256), 12, 1.3).astype(np.float32)
    turned = cv2.warpAffine(picture, matrix, (512, 512))
    found = finder.find(Pyramid(np.asarray(turned)))[0].landmarks
    assert np.abs(found - apply(matrix, plain)).max() < 0.02 * 1.3 * 130


def test_look_finds_the_face_again_from_a_rough_guess(finder):
    """From landmarks some pixels off, a look comes back to within 1.5 px; off the face it says no."""
    pyramid = Pyramid(picture_of(COLLINS))
    known = finder.find(pyramid)[0].landmarks
    looked = finder.look_at(pyramid, known + np.float32(5))
    assert np.abs(looked.landmarks - known).max() < 1.5
    assert looked.score > 0.9
    assert finder.look_at(pyramid, known + np.array([-140, 60], np.float32)).score < 0.3


def test_networks_have_the_published_shapes():
    """PNet sees 12 px cells every 2 px; RNet and ONet give scores, offsets and landmarks for each crop."""
    nets = Mtcnn.load(torch.device("cpu"))
    scores, offsets = nets.pnet(torch.zeros(2, 3, 12, 32))
    assert scores.shape == (2, 1, 11)
    assert offsets.shape == (2, 4, 1, 11)
    scores, offsets = nets.rnet(torch.zeros(3, 3, 24, 24))
    assert (scores.shape, offsets.shape) == ((3,), (3, 4))
    scores, offsets, marks = nets.onet(torch.zeros(3, 3, 48, 48))
    assert (scores.shape, offsets.shape, marks.shape) == ((3,), (3, 4), (3, 5, 2))
    assert bool(((scores >= 0) & (scores <= 1)).all())


def test_pyramid_goes_from_the_smallest_face_to_the_whole_picture():
    """The first level shows the smallest face in one cell, the last just holds one cell."""
    levels = scales(720, 1280)
    assert levels[0] == pytest.approx(12 / 36)
    assert 12 <= 720 * levels[-1] < 12 / 0.709
    assert scales(10, 10) == []


def test_faces_inside_better_ones_fall(finder):
    """Of overlapping faces, and of one inside another, the better stays."""
    face = finder.find(Pyramid(picture_of(COLLINS)))[0]
    x0, y0, x1, y1 = face.box
    inside = type(face)(box=(x0 + 5, y0 + 5, x0 + 40, y0 + 40), landmarks=face.landmarks, score=0.5)
    shifted = type(face)(box=(x0 + 9, y0, x1 + 9, y1), landmarks=face.landmarks, score=0.6)
    assert distinct([inside, face, shifted]) == [face]


def test_changed_weights_are_refused(tmp_path):
    """A weight file with one changed byte, or none at all, is refused by name."""
    content = bytearray(mtcnn_weights.weights_path("pnet").read_bytes())
    good = hashlib.sha256(content).hexdigest()
    content[100] ^= 1
    (tmp_path / "pnet.lz4").write_bytes(content)
    with pytest.raises(WeightsRejected, match="pnet"):
        mtcnn_weights.check_sha256(tmp_path / "pnet.lz4", good)
    with pytest.raises(WeightsRejected, match="rnet"):
        mtcnn_weights.check_sha256(tmp_path / "rnet.lz4", good)


def test_weights_come_without_the_package_itself():
    """Loading does not import mtcnn, which would look for tensorflow."""
    import sys

    shapes = [tuple(t.shape) for t in mtcnn_weights.load_weights("rnet")]
    assert shapes[0] == (28, 3, 3, 3)
    assert shapes[9] == (128, 576)
    assert "mtcnn" not in sys.modules


def test_smaller_faces_are_found_when_they_are_sought(finder):
    """A face of 2 % of the picture: far under the usual least size."""
    portrait = picture_of(HOPPER)
    small = cv2.resize(portrait, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    scene = np.full((1200, 1200, 3), 120, np.uint8)
    scene[500 : 500 + small.shape[0], 500 : 500 + small.shape[1]] = small
    assert finder.find(Pyramid(scene)) == ()
    (face,) = finder.down_to(0.01).find(Pyramid(scene))
    assert 526 < (face.box[0] + face.box[2]) / 2 < 538
